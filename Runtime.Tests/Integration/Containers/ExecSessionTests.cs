using System.Text;
using Runtime.Actors.Containers;
using Runtime.Actors.Tasks;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Containers;

[Collection(KernelCollection.Name)]
public sealed class ExecSessionTests
{
    [Fact]
    public async Task Input_goes_in_both_outputs_come_out_and_then_the_code()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("sleep 1000"));
        await using var session = await world.OpenAsync(world.OpenExec(id, stdin: true, terminal: false, "/bin/sh", "-c", "cat; echo err >&2; exit 7"));
        await SessionReading.WriteAsync(session, "first\n");
        Assert.Equal("first\n", await SessionReading.UntilAsync(session.Stdout!, "first\n"));
        await SessionReading.WriteAsync(session, "second\n");
        await session.Stdin!.DisposeAsync();
        Assert.Equal("second\n", await SessionReading.ToEndAsync(session.Stdout!));
        Assert.Equal("err\n", await SessionReading.ToEndAsync(session.Stderr!));
        Assert.Equal(7, await session.WaitAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_terminal_has_one_output_a_size_and_TERM()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("sleep 1000"));
        await using var session = await world.OpenAsync(world.OpenExec(
            id, stdin: true, terminal: true, "/bin/sh", "-c", "read go; stty size; echo $TERM >&2; exit 3"));
        Assert.Null(session.Stderr);
        await session.ResizeAsync(132, 43, TestContext.Current.CancellationToken);
        await SessionReading.WriteAsync(session, "go\n");
        Assert.Equal("go\r\n43 132\r\nxterm\r\n", await SessionReading.ToEndAsync(session.Stdout!));
        Assert.Equal(3, await session.WaitAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Megabytes_through_a_slow_reader_arrive_whole_and_the_code_waits_for_them()
    {
        await using var world = await ContainerWorld.StartAsync();
        await world.StopDaemonAsync();
        world.TaskOptions = new TaskOptions { ExecDrainTimeout = TimeSpan.FromMilliseconds(500) };
        world.StartDaemon();
        var id = await world.RunAsync(world.Shell("sleep 1000"));
        await using var session = await world.OpenAsync(world.OpenExec(id, stdin: false, terminal: false, "/bin/sh", "-c", "head -c 20000000 /dev/zero; exit 5"));
        var exit = session.WaitAsync(TestContext.Current.CancellationToken);
        var buffer = new byte[1_000_000];
        var total = 0;
        for (var turn = 0; await session.Stdout!.ReadAsync(buffer, TestContext.Current.CancellationToken) is > 0 and var count; turn++)
        {
            total += count;
            // Longer than the drain: a reader that takes its time is not cut off.
            if (turn == 3) await Task.Delay(3000, TestContext.Current.CancellationToken);
        }
        Assert.Equal(20_000_000, total);
        Assert.Empty(await SessionReading.ToEndAsync(session.Stderr!));
        Assert.Equal(5, await exit);
    }

    [Fact]
    public async Task A_child_that_keeps_the_output_open_does_not_hold_the_code_up_for_ever()
    {
        await using var world = await ContainerWorld.StartAsync();
        await world.StopDaemonAsync();
        world.TaskOptions = new TaskOptions { ExecDrainTimeout = TimeSpan.FromSeconds(1) };
        world.StartDaemon();
        var id = await world.RunAsync(world.Shell("sleep 1000"));
        await using var session = await world.OpenAsync(world.OpenExec(id, stdin: false, terminal: false, "/bin/sh", "-c", "sleep 4712 & echo done; exit 4"));
        var stderr = SessionReading.ToEndAsync(session.Stderr!);
        Assert.Equal("done\n", await SessionReading.UntilAsync(session.Stdout!, "done\n"));
        var more = SessionReading.ToEndAsync(session.Stdout!);
        Assert.Equal(4, await session.WaitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(15), TestContext.Current.CancellationToken));
        Assert.False(more.IsCompleted || stderr.IsCompleted);
        await session.DisposeAsync();
        // An end or an error, but nobody waits on.
        await Task.WhenAny(more).WaitAsync(ContainerWorld.Patience, TestContext.Current.CancellationToken);
        await Task.WhenAny(stderr).WaitAsync(ContainerWorld.Patience, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_session_that_is_disposed_kills_its_process_with_its_children_and_leaves_nothing()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("sleep 1000"));
        var before = world.ShimDescriptors();
        var session = await world.OpenAsync(world.OpenExec(id, stdin: true, terminal: false, "/bin/sh", "-c", "sleep 4713 & echo up; sleep 4713"));
        await SessionReading.UntilAsync(session.Stdout!, "up\n");
        await session.DisposeAsync();
        Assert.Equal("0\n", await CountAsync(world, id, "sleep 4713"));
        await ContainerWorld.UntilAsync(() => world.ShimDescriptors() == before, "the shim has closed everything of the exec");
        Assert.Empty(Directory.GetFileSystemEntries(world.Bundle(id), "exec*"));
    }

    [Fact]
    public async Task An_exec_whose_daemon_dies_is_killed()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("sleep 1000"));
        var session = await world.OpenAsync(world.OpenExec(id, stdin: false, terminal: false, "/bin/sh", "-c", "echo up; sleep 4714"));
        await SessionReading.UntilAsync(session.Stdout!, "up\n");
        // As the kernel does for a process that is killed: no call to the shim, its connections are closed.
        ((SessionOutput)session.Stdout!).Disconnect();
        await ContainerWorld.UntilAsync(() => CountAsync(world, id, "sleep 4714").GetAwaiter().GetResult() == "0\n", "the exec is gone");
        await session.DisposeAsync();
    }

    [Fact]
    public async Task A_session_that_nobody_takes_up_ends_by_itself()
    {
        await using var world = await ContainerWorld.StartAsync();
        await world.StopDaemonAsync();
        world.TaskOptions = new TaskOptions { SessionClaimTimeout = TimeSpan.FromMilliseconds(300) };
        world.StartDaemon();
        var id = await world.RunAsync(world.Shell("sleep 1000"));
        await world.OpenAsync(world.OpenExec(id, stdin: false, terminal: false, "/bin/sleep", "4715"));
        await ContainerWorld.UntilAsync(() => CountAsync(world, id, "sleep 4715").GetAwaiter().GetResult() == "0\n", "the exec is gone");
    }

    [Fact]
    public async Task A_command_that_is_not_there_is_refused_and_leaves_nothing()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("sleep 1000"));
        var before = world.ShimDescriptors();
        var fault = await world.RefusedAsync(world.OpenExec(id, stdin: true, terminal: false, "/no/such"));
        Assert.Contains("/no/such", fault.Message, StringComparison.Ordinal);
        await ContainerWorld.UntilAsync(() => world.ShimDescriptors() == before, "the shim has closed everything of the exec");
    }

    [Fact]
    public async Task Writing_to_a_command_that_does_not_read_ends_with_an_error_when_it_is_gone()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("sleep 1000"));
        await using var session = await world.OpenAsync(world.OpenExec(id, stdin: true, terminal: false, "/bin/sh", "-c", "exec 0<&-; echo closed; sleep 1; exit 2"));
        await SessionReading.UntilAsync(session.Stdout!, "closed\n");
        var chunk = new byte[100_000];
        await Assert.ThrowsAsync<IOException>(async () =>
        {
            while (true) await session.Stdin!.WriteAsync(chunk).AsTask().WaitAsync(ContainerWorld.Patience);
        });
        await SessionReading.ToEndAsync(session.Stdout!);
        await SessionReading.ToEndAsync(session.Stderr!);
        Assert.Equal(2, await session.WaitAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_hundred_sessions_at_once_do_not_mix()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("sleep 1000"));
        var before = world.ShimDescriptors();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 100).Select(async number =>
        {
            await using var session = await world.OpenAsync(world.OpenExec(id, stdin: true, terminal: false, "/bin/cat"));
            var stderr = SessionReading.ToEndAsync(session.Stderr!);
            var stdout = SessionReading.ToEndAsync(session.Stdout!);
            await SessionReading.WriteAsync(session, $"number {number}");
            await session.Stdin!.DisposeAsync();
            return (number, output: await stdout + await stderr, code: await session.WaitAsync(TestContext.Current.CancellationToken));
        }));
        Assert.All(outcomes, outcome => Assert.Equal(($"number {outcome.number}", 0), (outcome.output, outcome.code)));
        await ContainerWorld.UntilAsync(() => world.ShimDescriptors() == before, "the shim has closed everything of the execs");
    }

    private static async Task<string> CountAsync(ContainerWorld world, string id, string command)
    {
        var result = await world.AskAsync<ExecSyncResult>(world.Exec(id, 30, "/bin/sh", "-c", $"ps | grep -c '[{command[0]}]{command[1..]}'"));
        return Encoding.UTF8.GetString(result.Stdout.Span);
    }
}
