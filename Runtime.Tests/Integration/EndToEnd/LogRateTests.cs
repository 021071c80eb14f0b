using System.Diagnostics;
using System.Globalization;
using Runtime.Cri.V1;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.EndToEnd;

/// <summary>A container that writes as fast as its log is written, while the kubelet rotates that log.</summary>
[Collection(KernelCollection.Name)]
public sealed class LogRateTests
{
    private const long DaemonGrowthKiBMax = 16 * 1024;

    private const long ShimGrowthKiBMax = 2 * 1024;

    private const double RateMin = 100;

    private const string Prefix = " stdout F ";

    private const int TextBytes = 1000;

    private static bool IsStress => Environment.GetEnvironmentVariable("ACTORD_STRESS") is { Length: > 0 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rotations_under_a_fast_writer_lose_and_double_no_line_and_cost_no_memory()
    {
        var (rotations, bytesEach) = IsStress ? (32, 64L << 20) : (8, 4L << 20);
        await using var daemon = await DaemonFixture.StartAsync();
        var pod = daemon.Pod("rate");
        var podId = await daemon.RunPodAsync(pod);
        var log = Path.Combine(pod.LogDirectory, "writer.log");
        var shim = daemon.Processes().Single(one => one.CommandLine.Contains("containerd-shim-actor-v1", StringComparison.Ordinal)).Pid;
        var container = await daemon.RunAsync(podId, pod, daemon.Shell("writer",
            $"exec awk 'BEGIN {{ while (length(s) < {TextBytes}) s = s \"x\"; while (1) print ++i, s }}'"));
        await GrowsToAsync(log, 1 << 20);
        var (daemonBefore, shimBefore) = (ProcessMemory.Of(daemon.Pid), ProcessMemory.Of(shim));
        var (daemonPeak, shimPeak) = (daemonBefore, shimBefore);
        var files = new List<string>();
        var clock = Stopwatch.StartNew();
        while (files.Count < rotations)
        {
            await GrowsToAsync(log, bytesEach);
            // As the kubelet does: rename, then ask for a new file.
            files.Add($"{log}.{files.Count}");
            File.Move(log, files[^1]);
            await daemon.Runtime.ReopenContainerLogAsync(new ReopenContainerLogRequest { ContainerId = container });
            daemonPeak = ProcessMemory.Larger(daemonPeak, ProcessMemory.Of(daemon.Pid));
            shimPeak = ProcessMemory.Larger(shimPeak, ProcessMemory.Of(shim));
        }
        var elapsed = clock.Elapsed;
        await daemon.Runtime.StopContainerAsync(new StopContainerRequest { ContainerId = container });

        var rate = files.Sum(file => new FileInfo(file).Length) / 1e6 / elapsed.TotalSeconds;
        var lines = Check(files.Append(log));
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{lines} lines in {files.Count + 1} files, {rate:0} MB/s; daemon {daemonBefore} to {daemonPeak}, shim {shimBefore} to {shimPeak}");
        Assert.InRange(daemonPeak.PssKiB - daemonBefore.PssKiB, long.MinValue, DaemonGrowthKiBMax);
        Assert.InRange(shimPeak.PssKiB - shimBefore.PssKiB, long.MinValue, ShimGrowthKiBMax);
        if (IsStress) Assert.True(rate >= RateMin, $"{rate:0} MB/s");
    }

    /// <summary>Each line is the one after the line before; only the last may be cut off, by the end of its writer.</summary>
    private static int Check(IEnumerable<string> files)
    {
        var text = new string('x', TextBytes);
        var next = 1;
        foreach (var line in files.SelectMany(File.ReadLines))
        {
            var entry = line.AsSpan(line.IndexOf(' ', StringComparison.Ordinal));
            if (entry.StartsWith(" stdout P ")) continue;
            var number = next.ToString(CultureInfo.InvariantCulture);
            Assert.True(
                entry.Length == Prefix.Length + number.Length + 1 + TextBytes && entry.StartsWith(Prefix)
                && entry[Prefix.Length..].StartsWith(number) && entry.EndsWith(text),
                $"line {next} is: {line[..Math.Min(line.Length, 100)]}");
            next++;
        }
        return next - 1;
    }

    private static Task GrowsToAsync(string file, long bytes) => Eventually.True(
        () => File.Exists(file) && new FileInfo(file).Length >= bytes, TimeSpan.FromSeconds(60), () => $"{file} does not grow");
}
