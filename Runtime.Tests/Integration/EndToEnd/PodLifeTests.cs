using System.Globalization;
using Grpc.Core;
using Runtime.Cri.V1;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.EndToEnd;

/// <summary>The main job, with the real daemon, shim, runc, CNI plugins and overlayfs.</summary>
[Collection(KernelCollection.Name)]
public sealed class PodLifeTests
{
    [Theory]
    [InlineData(NamespaceMode.Container)]
    [InlineData(NamespaceMode.Pod)]
    public async Task A_pod_runs_logs_takes_exec_and_leaves_nothing(NamespaceMode pid)
    {
        await using var daemon = await DaemonFixture.StartAsync();
        var pod = daemon.Pod("one", pid);

        var podId = await daemon.RunPodAsync(pod);
        var containerId = await daemon.RunAsync(podId, pod, daemon.Shell("main", "echo out; echo err >&2; exec sleep 1000", pid));

        var podStatus = (await daemon.Runtime.PodSandboxStatusAsync(new PodSandboxStatusRequest { PodSandboxId = podId })).Status;
        Assert.Equal(PodSandboxState.SandboxReady, podStatus.State);
        Assert.Matches("^10\\.", podStatus.Network.Ip);
        Assert.Matches("^[0-9a-f]{64}$", podId);
        Assert.Matches("^[0-9a-f]{64}$", containerId);
        Assert.Equal(ContainerState.ContainerRunning, (await daemon.StatusAsync(containerId)).State);

        var address = await daemon.ExecAsync(containerId, "ip", "-o", "-4", "address", "show", "eth0");
        Assert.Contains(podStatus.Network.Ip, address.Stdout.ToStringUtf8(), StringComparison.Ordinal);
        var host = await daemon.ExecAsync(containerId, "hostname");
        Assert.Equal("one\n", host.Stdout.ToStringUtf8());
        var failed = await daemon.ExecAsync(containerId, "sh", "-c", "echo no >&2; exit 7");
        Assert.Equal(7, failed.ExitCode);
        Assert.Equal("no\n", failed.Stderr.ToStringUtf8());

        await Eventually.True(() => LogLines(daemon, "one").Length == 2, TimeSpan.FromSeconds(10), () => "no log lines");
        Assert.Contains(LogLines(daemon, "one"), line => line.EndsWith(" stdout F out", StringComparison.Ordinal));
        Assert.Contains(LogLines(daemon, "one"), line => line.EndsWith(" stderr F err", StringComparison.Ordinal));

        await daemon.StopAndRemoveAsync(podId);
        Assert.Empty((await daemon.Runtime.ListPodSandboxAsync(new ListPodSandboxRequest())).Items);
        Assert.Empty((await daemon.Runtime.ListContainersAsync(new ListContainersRequest())).Containers);
        await Eventually.True(() => daemon.Leftovers().Count == 0, TimeSpan.FromSeconds(10),
            () => string.Join('\n', daemon.Leftovers()));
    }

    [Fact]
    public async Task A_killed_daemon_changes_nothing_for_the_pod()
    {
        await using var daemon = await DaemonFixture.StartAsync();
        var pod = daemon.Pod("survivor");
        var podId = await daemon.RunPodAsync(pod);
        var containerId = await daemon.RunAsync(podId, pod,
            daemon.Shell("main", "i=0; while true; do echo $i; i=$((i + 1)); sleep 0.01; done"));
        var before = await daemon.StatusAsync(containerId);

        await daemon.KillDaemonAsync();
        var atDeath = LogLines(daemon, "survivor").Length;
        await Eventually.True(() => LogLines(daemon, "survivor").Length > atDeath + 20, TimeSpan.FromSeconds(10),
            () => "the log stood still while the daemon was away");
        await daemon.StartDaemonAsync();

        var after = await daemon.StatusAsync(containerId);
        Assert.Equal(ContainerState.ContainerRunning, after.State);
        Assert.Equal(before.StartedAt, after.StartedAt);
        Assert.Equal(before.CreatedAt, after.CreatedAt);
        Assert.Equal("alive\n", (await daemon.ExecAsync(containerId, "echo", "alive")).Stdout.ToStringUtf8());
        var numbers = LogLines(daemon, "survivor").Select(line => line.Split(' ')[^1]).ToArray();
        Assert.Equal(Enumerable.Range(0, numbers.Length).Select(i => i.ToString(CultureInfo.InvariantCulture)), numbers);
    }

    [Fact]
    public async Task An_exit_while_the_daemon_is_away_is_told_with_its_time_and_code()
    {
        await using var daemon = await DaemonFixture.StartAsync();
        var pod = daemon.Pod("gone");
        var podId = await daemon.RunPodAsync(pod);
        var containerId = await daemon.RunAsync(podId, pod, daemon.Shell("main", "echo here; sleep 1; exit 42"));
        await Eventually.True(() => LogLines(daemon, "gone").Length == 1, TimeSpan.FromSeconds(10), () => "no log line");

        await daemon.KillDaemonAsync();
        await Task.Delay(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken); // the time that the workload takes
        var restarted = DateTimeOffset.UtcNow;
        await daemon.StartDaemonAsync();

        var status = await daemon.ExitedAsync(containerId);
        Assert.Equal(42, status.ExitCode);
        Assert.Equal("Error", status.Reason);
        Assert.True(status.FinishedAt / 1_000_000 < restarted.ToUnixTimeMilliseconds(), "the exit has the time of the restart");
    }

    [Fact]
    public async Task Containers_end_as_the_kubelet_expects()
    {
        await using var daemon = await DaemonFixture.StartAsync();
        var pod = daemon.Pod("ends");
        var podId = await daemon.RunPodAsync(pod);

        var completed = await daemon.ExitedAsync(await daemon.RunAsync(podId, pod, daemon.Shell("ok", "exit 0")));
        Assert.Equal((0, "Completed"), (completed.ExitCode, completed.Reason));

        var killed = await daemon.RunAsync(podId, pod, daemon.Shell("deaf", "trap '' TERM; while true; do sleep 1; done"));
        await daemon.Runtime.StopContainerAsync(new StopContainerRequest { ContainerId = killed, Timeout = 1 });
        var status = await daemon.StatusAsync(killed);
        Assert.Equal((ContainerState.ContainerExited, 137), (status.State, status.ExitCode));

        var polite = await daemon.RunAsync(podId, pod, daemon.Shell("polite", "trap 'exit 3' TERM; while true; do sleep 0.1; done"));
        await daemon.Runtime.StopContainerAsync(new StopContainerRequest { ContainerId = polite, Timeout = 20 });
        Assert.Equal(3, (await daemon.StatusAsync(polite)).ExitCode);

        var hungry = daemon.Shell("hungry", "x=actord; while true; do x=$x$x; done");
        hungry.Linux.Resources = new LinuxContainerResources { MemoryLimitInBytes = 16 << 20 };
        var oom = await daemon.ExitedAsync(await daemon.RunAsync(podId, pod, hungry));
        Assert.Equal((137, "OOMKilled"), (oom.ExitCode, oom.Reason));

        var missing = daemon.Shell("missing", "");
        missing.Command.Clear();
        missing.Command.Add("/does/not/exist");
        var created = await daemon.Runtime.CreateContainerAsync(
            new CreateContainerRequest { PodSandboxId = podId, Config = missing, SandboxConfig = pod });
        var refused = await Assert.ThrowsAsync<RpcException>(async () =>
            await daemon.Runtime.StartContainerAsync(new StartContainerRequest { ContainerId = created.ContainerId }));
        Assert.Contains("/does/not/exist", refused.Status.Detail, StringComparison.Ordinal);
        var broken = await daemon.StatusAsync(created.ContainerId);
        Assert.Equal((ContainerState.ContainerExited, 128, "StartError"), (broken.State, broken.ExitCode, broken.Reason));
    }

    [Fact]
    public async Task A_command_that_takes_too_long_is_killed_with_its_children()
    {
        await using var daemon = await DaemonFixture.StartAsync();
        var pod = daemon.Pod("slow");
        var podId = await daemon.RunPodAsync(pod);
        var containerId = await daemon.RunAsync(podId, pod, daemon.Shell("main", "exec sleep 1000"));

        var late = await Assert.ThrowsAsync<RpcException>(async () => await daemon.Runtime.ExecSyncAsync(
            new ExecSyncRequest { ContainerId = containerId, Cmd = { "sh", "-c", "sleep 4321 & sleep 4321" }, Timeout = 1 }));

        Assert.Equal(StatusCode.DeadlineExceeded, late.StatusCode);
        await Eventually.AsyncTrue(
            async () => !(await daemon.ExecAsync(containerId, "ps")).Stdout.ToStringUtf8().Contains("4321", StringComparison.Ordinal),
            TimeSpan.FromSeconds(10), () => "the command goes on");
    }

    [Fact]
    public async Task A_log_is_reopened_without_a_lost_or_doubled_line()
    {
        await using var daemon = await DaemonFixture.StartAsync();
        var pod = daemon.Pod("rotated");
        var podId = await daemon.RunPodAsync(pod);
        var containerId = await daemon.RunAsync(podId, pod,
            daemon.Shell("main", "i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i + 1)); done; exec sleep 1000"));
        var log = Path.Combine(daemon.Logs, "rotated", "main.log");

        var old = new List<string>();
        for (var turn = 0; turn < 5; turn++)
        {
            old.Add($"{log}.{turn}");
            File.Move(log, old[^1]);
            await daemon.Runtime.ReopenContainerLogAsync(new ReopenContainerLogRequest { ContainerId = containerId });
            Assert.True(File.Exists(log));
        }

        string[] All() => [.. old.Append(log).SelectMany(File.ReadAllLines).Select(line => line.Split(' ')[^1])];
        await Eventually.True(() => All().Length >= 3000, TimeSpan.FromSeconds(20), () => $"{All().Length} lines");
        Assert.Equal(Enumerable.Range(0, 3000).Select(i => i.ToString(CultureInfo.InvariantCulture)), All());
    }

    private static string[] LogLines(DaemonFixture daemon, string pod)
    {
        var path = Path.Combine(daemon.Logs, pod, "main.log");
        if (!File.Exists(path)) return [];
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        var text = reader.ReadToEnd();
        return text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
