using Runtime.Actors.Containers;
using Runtime.Faults;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Containers;

[Collection(KernelCollection.Name)]
public sealed class AttachSessionTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Several_clients_see_both_outputs_beside_the_log_and_the_exit_code()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("while read word; do echo out $word; echo err $word >&2; [ $word = end ] && exit 9; done") with { Stdin = true });
        await using var first = await world.OpenAsync(world.OpenAttach(id, stdin: true));
        await using var second = await world.OpenAsync(world.OpenAttach(id, stdin: true));
        await SessionReading.WriteAsync(first, "one\n");
        await SessionReading.UntilAsync(first.Stderr!, "err one\n");
        await SessionReading.UntilAsync(second.Stderr!, "err one\n");
        await SessionReading.WriteAsync(second, "end\n");
        foreach (var session in new[] { first, second })
        {
            Assert.Equal("out one\nout end\n", await SessionReading.ToEndAsync(session.Stdout!));
            Assert.Equal("err end\n", await SessionReading.ToEndAsync(session.Stderr!));
            Assert.Equal(9, await session.WaitAsync(Cancellation));
        }
        Assert.Equal(
            ["stderr F err end", "stderr F err one", "stdout F out end", "stdout F out one"],
            (await File.ReadAllLinesAsync(Path.Combine(world.LogDirectory, "c1/0.log"), Cancellation)).Select(line => line[31..]).Order());
    }

    [Fact]
    public async Task A_client_that_goes_ends_neither_the_container_nor_its_stdin_and_a_restarted_daemon_attaches_again()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("echo history; cat") with { Stdin = true });
        await using (var first = await world.OpenAsync(world.OpenAttach(id, stdin: true)))
        {
            await SessionReading.WriteAsync(first, "first\n");
            await SessionReading.UntilAsync(first.Stdout!, "first\n");
        }
        await world.StopDaemonAsync();
        world.StartDaemon();
        await using var second = await world.OpenAsync(world.OpenAttach(id, stdin: true));
        await SessionReading.WriteAsync(second, "second\n");
        Assert.Equal("second\n", await SessionReading.UntilAsync(second.Stdout!, "second\n"));
        Assert.Equal(ContainerPhase.Running, world.View(id).Phase);
    }

    [Fact]
    public async Task With_stdin_once_the_first_client_that_goes_is_the_end_of_the_input()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("cat; echo end; exit 6") with { Stdin = true, StdinOnce = true });
        await using var watching = await world.OpenAsync(world.OpenAttach(id, stdin: false));
        await using var session = await world.OpenAsync(world.OpenAttach(id, stdin: true));
        await SessionReading.WriteAsync(session, "text\n");
        await session.Stdin!.DisposeAsync();
        Assert.Equal("text\nend\n", await SessionReading.ToEndAsync(session.Stdout!));
        Assert.Equal("text\nend\n", await SessionReading.ToEndAsync(watching.Stdout!));
        Assert.Empty(await SessionReading.ToEndAsync(session.Stderr!));
        Assert.Equal(6, await session.WaitAsync(Cancellation));
    }

    [Fact]
    public async Task A_terminal_is_shared_and_has_a_size()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("while read word; do stty size; done") with { Stdin = true, Tty = true });
        await using var session = await world.OpenAsync(world.OpenAttach(id, stdin: true));
        Assert.Null(session.Stderr);
        await session.ResizeAsync(100, 20, Cancellation);
        await SessionReading.WriteAsync(session, "go\n");
        await SessionReading.UntilAsync(session.Stdout!, "20 100\r\n");
    }

    [Fact]
    public async Task A_client_that_does_not_read_is_cut_off_and_slows_neither_the_log_nor_the_others()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("read go; seq 1 2000000; sleep 1000") with { Stdin = true });
        await using var lazy = await world.OpenAsync(world.OpenAttach(id, stdin: true));
        await SessionReading.WriteAsync(lazy, "go\n");
        var log = Path.Combine(world.LogDirectory, "c1/0.log");
        await ContainerWorld.UntilAsync(() => File.ReadLines(log).LastOrDefault()?.EndsWith(" 2000000", StringComparison.Ordinal) == true, "the log is whole");
        Assert.Equal(2_000_000, File.ReadLines(log).Count());
        // What its socket and the shim's buffer held comes first, then the end.
        Assert.StartsWith("1\n2\n3\n", await SessionReading.ToEndAsync(lazy.Stdout!), StringComparison.Ordinal);
        Assert.Equal(ContainerPhase.Running, world.View(id).Phase);
    }

    [Fact]
    public async Task A_container_without_a_log_can_be_attached_to()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("cat") with { Stdin = true, LogPath = "" });
        await using var session = await world.OpenAsync(world.OpenAttach(id, stdin: true));
        await SessionReading.WriteAsync(session, "here\n");
        Assert.Equal("here\n", await SessionReading.UntilAsync(session.Stdout!, "here\n"));
    }

    [Fact]
    public async Task What_cannot_be_attached_to_is_refused()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.CreateAsync(world.Shell("sleep 1000"));
        Assert.Equal(FaultKind.FailedPrecondition, (await world.RefusedAsync(world.OpenAttach(id, stdin: false))).Kind);
        await world.StartAsync(id, Cancellation);
        Assert.Equal("attach.no-stdin", (await world.RefusedAsync(world.OpenAttach(id, stdin: true))).Code);
        Assert.Equal(FaultKind.NotFound, (await world.RefusedAsync(world.OpenAttach("unknown", stdin: false))).Kind);
    }

    [Fact]
    public async Task Attaching_again_and_again_leaves_nothing_in_the_shim()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("cat") with { Stdin = true });
        var before = world.ShimDescriptors();
        for (var turn = 0; turn < 20; turn++)
        {
            await using var session = await world.OpenAsync(world.OpenAttach(id, stdin: true));
            await SessionReading.WriteAsync(session, $"turn {turn}\n");
            await SessionReading.UntilAsync(session.Stdout!, $"turn {turn}\n");
        }
        await ContainerWorld.UntilAsync(() => world.ShimDescriptors() == before, "the shim has closed every connection");
    }
}
