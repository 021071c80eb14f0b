using System.CommandLine;
using System.Diagnostics;
using Runtime.Cri.V1;

namespace Runtime.Bench.Cri;

/// <summary>
/// <c>pods</c>: how long a pod takes to start (RunPodSandbox, CreateContainer, StartContainer), and what it costs in memory,
/// for two or more CRI sockets in alternating rounds of one run.
/// </summary>
internal static class PodBenchmark
{
    private static readonly Option<string[]> Targets = new("--target") { Description = "NAME=SOCKET; the first is compared with the others.", Required = true, AllowMultipleArgumentsPerToken = true };
    private static readonly Option<string> Image = new("--image") { Description = "Image with /bin/sleep; pulled or imported before.", Required = true };
    private static readonly Option<int> Rounds = new("--rounds") { DefaultValueFactory = _ => 5 };
    private static readonly Option<int> Pods = new("--pods") { Description = "Pods of one round.", DefaultValueFactory = _ => 10 };
    private static readonly Option<bool> SharePid = new("--share-pid") { Description = "Ask for a shared pid namespace (CRI's zero value) instead of the kubelet's default." };

    public static Command Create()
    {
        var command = new Command("pods", "Pod start latency and memory, side by side.") { Targets, Image, Rounds, Pods, SharePid };
        command.SetAction(RunAsync);
        return command;
    }

    private sealed record Sample(List<double> StartMs, List<double> StopMs, List<long> DaemonIdle, List<long> DaemonLoaded, List<long> MonitorPerPod);

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var targets = parsed.GetRequiredValue(Targets).Select(Open).ToArray();
        var samples = targets.ToDictionary(target => target.Name, _ => new Sample([], [], [], [], []));
        try
        {
            // A first pod each warms caches and JITs that a long-running node has warm too.
            foreach (var target in targets) await RoundAsync(target, parsed, 1, null, cancellation);
            for (var round = 0; round < parsed.GetValue(Rounds); round++)
            {
                foreach (var target in round % 2 == 0 ? targets : targets.Reverse())
                    await RoundAsync(target, parsed, parsed.GetValue(Pods), samples[target.Name], cancellation);
            }
            Print(targets, samples);
            return 0;
        }
        finally
        {
            foreach (var target in targets) target.Dispose();
        }
    }

    private static CriTarget Open(string text) => text.Split('=', 2) switch
    {
        [var name, var socket] => new CriTarget(name, socket),
        _ => throw new ArgumentException($"\"{text}\" is not NAME=SOCKET"),
    };

    private static async Task RoundAsync(CriTarget target, ParseResult parsed, int count, Sample? sample, CancellationToken cancellation)
    {
        var pods = new List<string>();
        sample?.DaemonIdle.Add(target.DaemonPss());
        try
        {
            for (var pod = 0; pod < count; pod++)
            {
                var clock = Stopwatch.StartNew();
                pods.Add(await StartPodAsync(target, parsed, cancellation));
                sample?.StartMs.Add(clock.Elapsed.TotalMilliseconds);
            }
            sample?.DaemonLoaded.Add(target.DaemonPss());
            sample?.MonitorPerPod.Add(target.MonitorPss() / count);
        }
        finally
        {
            foreach (var pod in pods)
            {
                var clock = Stopwatch.StartNew();
                await target.Runtime.StopPodSandboxAsync(new StopPodSandboxRequest { PodSandboxId = pod }, cancellationToken: CancellationToken.None);
                await target.Runtime.RemovePodSandboxAsync(new RemovePodSandboxRequest { PodSandboxId = pod }, cancellationToken: CancellationToken.None);
                sample?.StopMs.Add(clock.Elapsed.TotalMilliseconds);
            }
        }
    }

    private static async Task<string> StartPodAsync(CriTarget target, ParseResult parsed, CancellationToken cancellation)
    {
        var unique = Guid.NewGuid().ToString("N");
        var pid = parsed.GetValue(SharePid) ? NamespaceMode.Pod : NamespaceMode.Container;
        var config = new PodSandboxConfig
        {
            Metadata = new PodSandboxMetadata { Name = $"bench-{unique[..8]}", Namespace = "bench", Uid = unique },
            Hostname = "bench",
            LogDirectory = $"/tmp/actord-bench-logs/{unique}",
            Linux = new LinuxPodSandboxConfig
            {
                CgroupParent = "/actord-bench",
                SecurityContext = new LinuxSandboxSecurityContext { NamespaceOptions = new NamespaceOption { Pid = pid } },
            },
        };
        Directory.CreateDirectory(config.LogDirectory);
        var sandbox = await target.Runtime.RunPodSandboxAsync(new RunPodSandboxRequest { Config = config }, cancellationToken: cancellation);
        var container = new ContainerConfig
        {
            Metadata = new ContainerMetadata { Name = "main" },
            Image = new ImageSpec { Image = parsed.GetRequiredValue(Image) },
            Command = { "/bin/sleep", "1000000" },
            LogPath = "main.log",
            Linux = new LinuxContainerConfig
            {
                SecurityContext = new LinuxContainerSecurityContext { NamespaceOptions = new NamespaceOption { Pid = pid } },
            },
        };
        var created = await target.Runtime.CreateContainerAsync(
            new CreateContainerRequest { PodSandboxId = sandbox.PodSandboxId, Config = container, SandboxConfig = config }, cancellationToken: cancellation);
        await target.Runtime.StartContainerAsync(new StartContainerRequest { ContainerId = created.ContainerId }, cancellationToken: cancellation);
        return sandbox.PodSandboxId;
    }

    private static void Print(CriTarget[] targets, Dictionary<string, Sample> samples)
    {
        var rows = new (string Title, string Unit, Func<Sample, double> Value)[]
        {
            ("pod start p50", "ms", sample => Statistics.Percentile(sample.StartMs, 50)),
            ("pod start p99", "ms", sample => Statistics.Percentile(sample.StartMs, 99)),
            ("pod stop and remove p50", "ms", sample => Statistics.Percentile(sample.StopMs, 50)),
            ("daemon PSS between rounds", "MiB", sample => Statistics.Percentile(sample.DaemonIdle.Select(bytes => bytes / 1048576.0), 50)),
            ("daemon PSS with pods", "MiB", sample => Statistics.Percentile(sample.DaemonLoaded.Select(bytes => bytes / 1048576.0), 50)),
            ("monitors PSS per pod", "MiB", sample => Statistics.Percentile(sample.MonitorPerPod.Select(bytes => bytes / 1048576.0), 50)),
        };
        Statistics.PrintTable(
            [.. targets.Select(target => target.Name)],
            [.. rows.Select(row => (row.Title, row.Unit, targets.Select(target => row.Value(samples[target.Name])).ToArray()))]);
    }
}
