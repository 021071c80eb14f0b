using System.Diagnostics;
using Runtime.Faults;
using Runtime.Linux.Processes;
using Runtime.Tests.Support;
using Runtime.Ttrpc.Actord;
using Runtime.Ttrpc.Events;
using Runtime.Ttrpc.Tasks;
using Runtime.Ttrpc.Wire;
using Xunit;

namespace Runtime.Tests.Integration.Shim;

[Collection(KernelCollection.Name)]
public sealed class ShimSurvivalTests
{
    [Fact]
    public async Task A_daemon_that_comes_back_learns_the_exit_it_missed()
    {
        await using var pod = new ShimPod();
        var id = await pod.Run("c", ["/bin/sh", "-c", "sleep 0.2; echo bye; exit 5"]);
        await pod.Disconnect();
        await ShimPod.Until(() => File.Exists(Path.Combine(pod.Bundle(id), "exits/init")), "the container has exited");
        await using var events = pod.ListenForEvents();
        await pod.Connect();

        Assert.Equal(5u, await pod.Wait(id));
        Assert.Equal(["stdout F bye"], pod.Entries(id));
        await ShimPod.Until(() => events.Topics.Contains(TaskTopics.Exit), "the exit is forwarded late");
        Assert.Equal([TaskTopics.Create, TaskTopics.Start, TaskTopics.Exit], events.Topics);
    }

    [Fact]
    public async Task Delete_cleans_up_after_a_shim_that_was_killed()
    {
        await using var pod = new ShimPod();
        var id = await pod.Run("c", ["/bin/sleep", "1000"]);
        var pid = (int)(await pod.Tasks.StateAsync(id, "", ShimPod.Options, ShimPod.Cancellation)).Pid;
        await pod.Disconnect();
        ProcessControl.TrySignal(pod.ShimPid, Signals.SIGKILL);

        var output = await pod.RunShim(id, [], "delete", "-bundle", pod.Bundle(id));

        var exit = DeleteResponse.Read(new WireReader(output));
        Assert.Equal(((uint)pid, 137u), (exit.Pid, exit.ExitStatus));
        await ShimPod.Until(() => !Directory.Exists($"/proc/{pid}"), "the container's process is gone");
        Assert.False(Directory.Exists(Path.Combine(pod.Bundle(id), "rootfs/bin")));
        Assert.False(Directory.Exists($"/sys/fs/cgroup/memory/actord-shim-test/{id}"));
    }

    [Fact]
    public async Task A_socket_that_a_dead_shim_left_is_taken_over()
    {
        await using var pod = new ShimPod();
        await pod.StartShim("a", ["/bin/true"]);
        var dead = pod.ShimPid;
        await pod.Disconnect();
        ProcessControl.TrySignal(dead, Signals.SIGKILL);
        await ShimPod.Until(() => IsGone(dead), "the first shim is gone");
        await pod.RunShim(pod.Id("a"), [], "start");
        await pod.Connect();

        var connected = await pod.Tasks.ConnectAsync(pod.Id("a"), ShimPod.Options, ShimPod.Cancellation);

        Assert.NotEqual((uint)dead, connected.ShimPid);
        ProcessControl.TrySignal((int)connected.ShimPid, Signals.SIGKILL);
    }

    [Fact]
    public async Task An_exec_that_nobody_connects_to_or_starts_is_dropped_after_a_minute()
    {
        await using var pod = new ShimPod();
        var id = await pod.Run("c", ["/bin/sleep", "1000"]);
        await pod.AddStreamedExec(id, "left", ["/bin/true"]);
        await pod.AddStreamedExec(id, "half", ["/bin/true"]);
        using var stdin = await pod.OpenStream(id, "half", StreamKind.Stdin);
        await pod.AddStreamedExec(id, "held", ["/bin/true"]);
        using var stdout = await pod.OpenStream(id, "held", StreamKind.Stdout);
        using var stderr = await pod.OpenStream(id, "held", StreamKind.Stderr);
        var clock = Stopwatch.StartNew();

        await Eventually.AsyncTrue(
            async () => await IsGoneAsync("left") && await IsGoneAsync("half"), TimeSpan.FromSeconds(75), () => "an exec is left");

        Assert.InRange(clock.Elapsed.TotalSeconds, 55, 75);
        Assert.False(await IsGoneAsync("held"));
        stdout.Dispose();
        await Eventually.AsyncTrue(async () => await IsGoneAsync("held"), TimeSpan.FromSeconds(10), () => "the exec is left");

        async Task<bool> IsGoneAsync(string execId)
        {
            try
            {
                await pod.Tasks.StateAsync(id, execId, ShimPod.Options, ShimPod.Cancellation);
                return false;
            }
            catch (FaultException gone) when (gone.Fault.Kind == FaultKind.NotFound)
            {
                return true;
            }
        }
    }

    /// <summary>1,000 here; ACTORD_SOAK says how many on a machine that has the time.</summary>
    [Fact]
    public async Task Execs_with_streams_and_statistics_do_not_make_the_shim_grow()
    {
        var many = int.TryParse(Environment.GetEnvironmentVariable("ACTORD_SOAK"), out var asked) ? asked : 1000;
        await using var pod = new ShimPod();
        var id = await pod.Run("c", ["/bin/sleep", "1000"]);
        await Execs(0, 100);
        await Idle();
        var before = Of(pod.ShimPid);
        await Execs(100, many);
        await Idle();
        var after = Of(pod.ShimPid);

        TestContext.Current.TestOutputHelper?.WriteLine($"after 100 execs: {before}; after {100 + many}: {after}");
        Assert.InRange(after.PssKilobytes, 0, before.PssKilobytes + 1024);
        Assert.Equal((before.Descriptors, before.Threads), (after.Descriptors, after.Threads));
        Assert.Empty(Directory.GetFileSystemEntries(pod.Bundle(id), "exec*"));

        async Task Execs(int from, int count)
        {
            for (var i = from; i < from + count; i++)
            {
                Assert.Equal("hello\n", await pod.ExecStreamed(id, $"e{i}", ["/bin/echo", "hello"]));
                Assert.False((await pod.Tasks.StatsAsync(id, ShimPod.Options, ShimPod.Cancellation)).Value.IsEmpty);
            }
        }

        // The shim collects two seconds after the last call; there is nothing to wait for that would not disturb that.
        static Task Idle() => Task.Delay(3000, ShimPod.Cancellation);
    }

    private sealed record Footprint(int PssKilobytes, int Descriptors, int Threads);

    private static Footprint Of(int pid) => new(
        int.Parse(
            File.ReadLines($"/proc/{pid}/smaps_rollup").First(line => line.StartsWith("Pss:", StringComparison.Ordinal))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            System.Globalization.CultureInfo.InvariantCulture),
        Directory.GetFiles($"/proc/{pid}/fd").Length,
        Directory.GetDirectories($"/proc/{pid}/task").Length);

    // A zombie alone says too little: its threads may still hold the socket, and a new shim would join it.
    private static bool IsGone(int pid)
    {
        try
        {
            return Directory.GetDirectories($"/proc/{pid}/task").Length == 1
                && File.ReadAllText($"/proc/{pid}/stat").Contains(") Z", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return true; // reaped
        }
    }
}
