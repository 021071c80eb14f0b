using System.Diagnostics;
using Runtime.Actors.Containers;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Containers;

[Collection(KernelCollection.Name)]
public sealed class ContainerRestartTests
{
    [Fact]
    public async Task A_restart_of_the_daemon_finds_a_running_container_and_can_stop_it()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("echo ready; exec sleep 1000"));
        var before = world.View(id);
        await world.StopDaemonAsync();
        world.StartDaemon();
        await ContainerWorld.UntilAsync(() => world.Exists(id), "the container is back");
        Assert.Equal((ContainerPhase.Running, before.Pid, before.StartedAt), (world.View(id).Phase, world.View(id).Pid, world.View(id).StartedAt));
        await world.AskAsync<ExecSyncResult>(world.Exec(id, 30, "true"));
        await world.AskAsync<ContainerStopped>(world.Stop(id, 0));
        Assert.Equal(137, world.View(id).ExitCode);
    }

    [Fact]
    public async Task An_exit_while_the_daemon_is_away_keeps_its_code_and_time()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("sleep 1; exit 9"));
        var pid = world.View(id).Pid;
        await world.StopDaemonAsync();
        await ContainerWorld.UntilAsync(() => !Directory.Exists($"/proc/{pid}"), "the process has ended");
        await Task.Delay(TimeSpan.FromSeconds(1.5), TestContext.Current.CancellationToken); // so that now is not when it ended
        var back = DateTimeOffset.UtcNow;
        world.StartDaemon();
        await ContainerWorld.UntilAsync(() => world.Exists(id), "the container is back");
        var exited = await world.ExitAsync(id);
        Assert.Equal((9, "Error"), (exited.ExitCode, exited.Reason));
        Assert.True(exited.FinishedAt < back - TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_stop_that_a_restart_interrupts_is_finished()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("trap '' TERM; while true; do sleep 0.1; done"));
        var stopping = world.AskAsync<ContainerStopped>(world.Stop(id, 2));
        await Task.Delay(300, TestContext.Current.CancellationToken);
        await world.StopDaemonAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => stopping);
        world.StartDaemon();
        await ContainerWorld.UntilAsync(() => world.Exists(id), "the container is back");
        Assert.Equal(137, (await world.ExitAsync(id)).ExitCode);
    }

    [Fact]
    public async Task A_dead_shim_takes_its_container_along_and_leaves_a_reason()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("exec sleep 1000"));
        var pid = world.View(id).Pid;
        using (var shim = Process.GetProcessById(Assert.Single(world.ShimPids()))) shim.Kill();
        var exited = await world.ExitAsync(id);
        Assert.Equal((255, "Unknown"), (exited.ExitCode, exited.Reason));
        Assert.Contains("shim died", exited.Message, StringComparison.Ordinal);
        await ContainerWorld.UntilAsync(() => !Directory.Exists($"/proc/{pid}"), "the orphan is gone");
    }

    [Fact]
    public async Task After_a_reboot_a_container_has_exited_with_an_unknown_code_and_can_be_removed()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("exec sleep 1000"));
        await world.StopDaemonAsync();
        // What a reboot does: no process, and a state directory that is empty.
        var init = world.View(id).Pid;
        using (var process = Process.GetProcessById((int)init)) process.Kill();
        foreach (var pid in world.ShimPids())
            using (var shim = Process.GetProcessById(pid)) shim.Kill();
        await Tool.RunAsync("umount", Path.Combine(world.Bundle(id), "rootfs"));
        Directory.Delete(Path.Combine(world.Layout.State, "io.containerd.runtime.v2.task"), recursive: true);
        await Tool.RunAsync("runc", "--root", Path.Combine(world.Layout.State, "runc", "k8s.io"), "delete", "--force", id);
        world.StartDaemon();
        await ContainerWorld.UntilAsync(() => world.Exists(id), "the container is back");
        Assert.Equal(255, (await world.ExitAsync(id)).ExitCode);
        await world.AskAsync<ContainerRemoved>(world.Remove(id));
    }
}
