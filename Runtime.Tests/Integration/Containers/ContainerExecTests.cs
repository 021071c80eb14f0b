using System.Diagnostics;
using System.Text;
using Runtime.Actors.Containers;
using Runtime.Actors.Tasks;
using Runtime.Faults;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Containers;

[Collection(KernelCollection.Name)]
public sealed class ContainerExecTests
{
    [Fact]
    public async Task An_exec_gives_both_streams_and_the_code()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("sleep 1000"));
        var result = await world.AskAsync<ExecSyncResult>(world.Exec(id, 30, "/bin/sh", "-c", "echo out; echo err >&2; exit 7"));
        Assert.Equal((7, "out\n", "err\n"), (result.ExitCode, Encoding.UTF8.GetString(result.Stdout.Span), Encoding.UTF8.GetString(result.Stderr.Span)));
        Assert.Empty(Directory.GetFileSystemEntries(world.Bundle(id), "exec*"));
    }

    [Fact]
    public async Task An_exec_past_its_timeout_is_killed_with_its_children()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("sleep 1000"));
        var fault = await world.RefusedAsync(world.Exec(id, 1, "/bin/sh", "-c", "sleep 4711; true"));
        Assert.Equal(FaultKind.DeadlineExceeded, fault.Kind);
        var left = await world.AskAsync<ExecSyncResult>(world.Exec(id, 30, "/bin/sh", "-c", "ps | grep -c '[s]leep 4711'"));
        Assert.Equal("0\n", Encoding.UTF8.GetString(left.Stdout.Span));
    }

    [Fact]
    public async Task A_command_that_is_not_there_is_an_error_and_not_a_code()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("sleep 1000"));
        Assert.Contains("/no/such", (await world.RefusedAsync(world.Exec(id, 30, "/no/such"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_child_that_keeps_the_output_open_does_not_hold_the_answer_up()
    {
        await using var world = await ContainerWorld.StartAsync();
        await world.StopDaemonAsync();
        world.TaskOptions = new TaskOptions { ExecDrainTimeout = TimeSpan.FromSeconds(1) };
        world.StartDaemon();
        var id = await world.RunAsync(world.Shell("sleep 1000"));
        var started = Stopwatch.GetTimestamp();
        var result = await world.AskAsync<ExecSyncResult>(world.Exec(id, 30, "/bin/sh", "-c", "sleep 20 & echo done"));
        Assert.Equal("done\n", Encoding.UTF8.GetString(result.Stdout.Span));
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(15));
    }

    [Fact]
    public async Task Output_beyond_the_limit_is_dropped_and_does_not_block_the_command()
    {
        await using var world = await ContainerWorld.StartAsync();
        await world.StopDaemonAsync();
        world.TaskOptions = new TaskOptions { ExecOutputBytesMax = 100_000 };
        world.StartDaemon();
        var id = await world.RunAsync(world.Shell("sleep 1000"));
        var result = await world.AskAsync<ExecSyncResult>(world.Exec(id, 30, "/bin/sh", "-c", "head -c 3000000 /dev/zero; exit 4"));
        Assert.Equal((4, 100_000), (result.ExitCode, result.Stdout.Length));
    }

    [Fact]
    public async Task Many_execs_at_once_do_not_mix()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("sleep 1000"));
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(async number =>
            (number, result: await world.AskAsync<ExecSyncResult>(world.Exec(id, 60, "/bin/echo", $"number {number}")))));
        Assert.All(results, one => Assert.Equal($"number {one.number}\n", Encoding.UTF8.GetString(one.result.Stdout.Span)));
    }

    [Fact]
    public async Task An_exec_in_a_container_that_does_not_run_is_refused()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.CreateAsync(world.Shell("true"));
        Assert.Equal(FaultKind.FailedPrecondition, (await world.RefusedAsync(world.Exec(id, 1, "true"))).Kind);
        Assert.Equal(FaultKind.NotFound, (await world.RefusedAsync(world.Exec("unknown", 1, "true"))).Kind);
    }
}
