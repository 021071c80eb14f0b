using System.Text;
using Runtime.Actors.Containers;
using Runtime.Actors.Sandboxes;
using Runtime.Faults;
using Runtime.Linux.Mounts;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Containers;

[Collection(KernelCollection.Name)]
public sealed class ContainerLifeTests
{
    [Theory]
    [InlineData("runc")]
    [InlineData("crun")]
    public async Task A_container_runs_writes_its_log_and_leaves_its_code(string ociRuntime)
    {
        await using var world = await ContainerWorld.StartAsync(ociRuntime);
        var id = await world.CreateAsync(world.Shell("echo $FROM; echo oops >&2; cat /data/seed; exit 3"));
        Assert.Equal(ContainerPhase.Created, world.View(id).Phase);
        await world.StartAsync(id, TestContext.Current.CancellationToken);
        var exited = await world.ExitAsync(id);
        Assert.Equal((3, "Error", 0u), (exited.ExitCode, exited.Reason, exited.Pid));
        Assert.True(exited.StartedAt <= exited.FinishedAt);
        var log = await File.ReadAllTextAsync(exited.LogPath, TestContext.Current.CancellationToken);
        Assert.Contains(" stdout F image\n", log, StringComparison.Ordinal);
        Assert.Contains(" stderr F oops\n", log, StringComparison.Ordinal);
        Assert.Contains("from the image", log, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(exited.LogPath));
    }

    [Fact]
    public async Task The_default_seccomp_profile_lets_a_shell_work_and_refuses_unshare()
    {
        await using var world = await ContainerWorld.StartAsync();
        var config = world.Shell("unshare -n true; echo code $?");
        var id = await world.RunAsync(config with
        {
            Security = config.Security with { Seccomp = new SecurityProfile(SecurityProfileKind.RuntimeDefault, "") },
        });
        var exited = await world.ExitAsync(id);
        var log = await File.ReadAllTextAsync(exited.LogPath, TestContext.Current.CancellationToken);
        Assert.Contains("Operation not permitted", log, StringComparison.Ordinal);
        Assert.Contains("code 1", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_user_by_name_gets_the_groups_of_the_image_and_the_request()
    {
        await using var world = await ContainerWorld.StartAsync();
        var config = world.Shell("id");
        var id = await world.RunAsync(config with
        {
            Security = config.Security with { RunAsUserName = "alice", SupplementalGroups = [5000] },
        });
        var exited = await world.ExitAsync(id);
        var log = await File.ReadAllTextAsync(exited.LogPath, TestContext.Current.CancellationToken);
        Assert.All(["uid=1000(alice)", "gid=1001(alice)", "29(audio)", "5000"], part => Assert.Contains(part, log, StringComparison.Ordinal));
        Assert.Equal([1001L, 29L, 5000L], exited.User!.Groups.ToArray());
    }

    [Fact]
    public async Task A_command_that_is_not_there_fails_the_start_with_its_reason()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.CreateAsync(world.Shell("") with { Command = ["/no/such/command"] });
        var fault = await world.RefusedAsync(world.Start(id));
        Assert.Contains("/no/such/command", fault.Message, StringComparison.Ordinal);
        var view = world.View(id);
        Assert.Equal((ContainerPhase.Exited, 128, "StartError"), (view.Phase, view.ExitCode, view.Reason));
        Assert.Equal(FaultKind.FailedPrecondition, (await world.RefusedAsync(world.Start(id))).Kind);
    }

    [Fact]
    public async Task What_cannot_be_served_is_refused_at_create_and_leaves_nothing()
    {
        await using var world = await ContainerWorld.StartAsync();
        var config = world.Shell("true");
        Assert.Equal("container.image-not-found", (await RefusedAsync(config with { Image = "nginx" })).Code);
        Assert.Equal("container.group-without-user", (await RefusedAsync(config with { Security = config.Security with { RunAsGroup = 1 } })).Code);
        Assert.Equal("container.id-out-of-range", (await RefusedAsync(config with { Security = config.Security with { RunAsUser = 1L << 31 } })).Code);
        Assert.Equal("user.unknown", (await RefusedAsync(config with { Security = config.Security with { RunAsUserName = "nobody-here" } })).Code);
        Assert.Equal("container.no-seccomp", (await RefusedAsync(config with { Security = config.Security with { Seccomp = new SecurityProfile(SecurityProfileKind.Localhost, "/no/profile.json") } })).Code);
        Assert.Equal("container.privilege", (await RefusedAsync(config with { Security = config.Security with { Privileged = true } })).Code);
        var bundles = Path.GetDirectoryName(world.Bundle("x"))!;
        await ContainerWorld.UntilAsync(() => Directory.GetDirectories(bundles).Length == 1, "only the pod's bundle is left");

        Task<RuntimeFault> RefusedAsync(ContainerConfig refused) =>
            world.RefusedAsync(new CreateContainer(Runtime.Actors.Namespaces.NamespaceName.Kubernetes, Guid.NewGuid().ToString("N"), world.SandboxId, refused));
    }

    [Fact]
    public async Task Creates_of_one_name_get_one_container()
    {
        await using var world = await ContainerWorld.StartAsync();
        var config = world.Shell("true");
        var ids = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => world.CreateAsync(config)));
        Assert.Single(ids.Distinct());
    }

    [Fact]
    public async Task A_stop_is_graceful_for_who_listens_and_a_kill_for_who_does_not()
    {
        await using var world = await ContainerWorld.StartAsync();
        var polite = await world.RunAsync(world.Shell("trap 'echo bye; exit 5' TERM; echo ready; while true; do sleep 0.1; done"));
        await LoggedAsync(world, polite, "ready");
        await world.AskAsync<ContainerStopped>(world.Stop(polite, 30));
        Assert.Equal(5, world.View(polite).ExitCode);
        var deaf = await world.RunAsync(world.Shell("trap '' TERM; echo ready; while true; do sleep 0.1; done"));
        await LoggedAsync(world, deaf, "ready");
        await world.AskAsync<ContainerStopped>(world.Stop(deaf, 0.5));
        Assert.Equal((137, "Error"), (world.View(deaf).ExitCode, world.View(deaf).Reason));
        await world.AskAsync<ContainerStopped>(world.Stop(deaf, 1));
        await world.AskAsync<ContainerStopped>(world.Stop("unknown", 1));
    }

    [Fact]
    public async Task A_container_that_was_killed_for_memory_says_so()
    {
        await using var world = await ContainerWorld.StartAsync();
        var config = world.Shell("x=a; while true; do x=$x$x; done");
        var id = await world.RunAsync(config with { Resources = new ContainerResources { MemoryLimit = 16 << 20 } });
        var exited = await world.ExitAsync(id);
        Assert.Equal((137, "OOMKilled"), (exited.ExitCode, exited.Reason));
    }

    [Fact]
    public async Task A_removal_of_a_running_container_leaves_only_its_log()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("echo here; sleep 1000"));
        await LoggedAsync(world, id, "here");
        var (pid, log) = (world.View(id).Pid, world.View(id).LogPath);
        await world.AskAsync<ContainerRemoved>(world.Remove(id));
        Assert.False(world.Exists(id));
        Assert.False(Directory.Exists($"/proc/{pid}"));
        Assert.False(Directory.Exists(world.Bundle(id)));
        Assert.False(Directory.Exists(world.Layout.Container(id)));
        Assert.DoesNotContain(MountTable.Read().Entries, mount => mount.MountPoint.Contains(id, StringComparison.Ordinal));
        Assert.True(File.Exists(log));
        await world.AskAsync<ContainerRemoved>(world.Remove(id));
    }

    [Fact]
    public async Task A_log_is_reopened_at_its_path_while_it_runs_and_not_after()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("while true; do echo tick; sleep 0.05; done"));
        await LoggedAsync(world, id, "tick");
        var path = world.View(id).LogPath;
        File.Move(path, path + ".1");
        await world.AskAsync<LogReopened>(world.ReopenLog(id));
        var rotated = new FileInfo(path + ".1").Length;
        await LoggedAsync(world, id, "tick");
        Assert.Equal(rotated, new FileInfo(path + ".1").Length);
        await world.AskAsync<ContainerStopped>(world.Stop(id, 0));
        File.Delete(path);
        Assert.Equal(FaultKind.FailedPrecondition, (await world.RefusedAsync(world.ReopenLog(id))).Kind);
        Assert.False(File.Exists(path));
    }

    private static Task LoggedAsync(ContainerWorld world, string id, string text) => ContainerWorld.UntilAsync(
        () => File.Exists(world.View(id).LogPath) && File.ReadAllText(world.View(id).LogPath, Encoding.UTF8).Contains(text, StringComparison.Ordinal),
        $"the log has {text}");
}
