using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.EndToEnd;

/// <summary>What a great many execs leave in the daemon and in the shim: nothing.</summary>
[Collection(KernelCollection.Name)]
public sealed class ExecSoakTests
{
    private const int WarmUp = 200;
    private const int AtOnce = 4;

    /// <summary>The collector's choice of a moment, and pools that have not been full before.</summary>
    private const long DaemonGrowthKiBMax = 16 * 1024;

    private const long ShimGrowthKiBMax = 1024;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>500 here; ACTORD_SOAK says how many on a machine that has the time.</summary>
    [Fact]
    public async Task Execs_through_the_daemon_leave_neither_memory_nor_descriptors()
    {
        var count = int.TryParse(Environment.GetEnvironmentVariable("ACTORD_SOAK"), out var asked) ? asked : 500;
        await using var daemon = await DaemonFixture.StartAsync();
        var pod = daemon.Pod("soak");
        var container = await daemon.RunAsync(await daemon.RunPodAsync(pod), pod, daemon.Shell("main", "exec sleep 100000"));
        var shim = ShimOf(daemon);
        await ExecAsync(WarmUp);
        var before = await MeasureAsync();

        await ExecAsync(count);

        var after = await MeasureAsync();
        TestContext.Current.TestOutputHelper?.WriteLine($"after {WarmUp} execs: {before}; after {WarmUp + count}: {after}");
        Assert.InRange(after.Daemon.PssKiB - before.Daemon.PssKiB, long.MinValue, DaemonGrowthKiBMax);
        Assert.InRange(after.Shim.PssKiB - before.Shim.PssKiB, long.MinValue, ShimGrowthKiBMax);
        Assert.InRange(after.Descriptors - before.Descriptors, int.MinValue, 8);

        Task ExecAsync(int many) => Parallel.ForEachAsync(
            Enumerable.Range(0, many), new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = Cancellation },
            async (i, _) => Assert.Equal($"{i}\n", (await daemon.ExecAsync(container, "/bin/echo", $"{i}")).Stdout.ToStringUtf8()));

        // The shim collects two seconds after the last call; there is nothing to wait for that would not disturb that.
        async Task<Footprint> MeasureAsync()
        {
            await Task.Delay(3000, Cancellation);
            return new Footprint(
                ProcessMemory.Of(daemon.Pid), ProcessMemory.Of(shim),
                Directory.GetFiles($"/proc/{daemon.Pid}/fd").Length + Directory.GetFiles($"/proc/{shim}/fd").Length);
        }
    }

    private static int ShimOf(DaemonFixture daemon) => daemon.Processes().Single(
        process => process.CommandLine.Contains("containerd-shim-actor-v1", StringComparison.Ordinal)).Pid;

    private sealed record Footprint(ProcessMemory Daemon, ProcessMemory Shim, int Descriptors);
}
