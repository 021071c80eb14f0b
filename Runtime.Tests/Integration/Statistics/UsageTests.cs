using Grpc.Core;
using Runtime.Cri.V1;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Statistics;

/// <summary>Usage of real containers as CRI tells it.</summary>
[Collection(KernelCollection.Name)]
public sealed class UsageTests
{
    private const string EverySecond = """
        [plugins."io.containerd.cri.v1.images"]
        stats_collect_period = 1
        """;

    private const ulong Allocated = 24 << 20;
    private const ulong Written = 3 << 20;
    private const ulong Limit = 256 << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Containers_show_what_they_use_and_the_pod_what_it_sends()
    {
        await using var daemon = await DaemonFixture.StartAsync(fixture => fixture.Configuration = EverySecond);
        var pod = daemon.Pod("usage");
        var podId = await daemon.RunPodAsync(pod);
        var busy = daemon.Shell("busy", "while true; do :; done");
        busy.Labels["load"] = "cpu";
        var busyId = await daemon.RunAsync(podId, pod, busy);
        // The last command of a shell takes its place, and would free its memory.
        var full = daemon.Shell(
            "full", $"head -c {Written} /dev/zero > /file; x=$(head -c {Allocated} /dev/zero | tr '\\0' x); sleep 1000; :");
        full.Linux.Resources = new LinuxContainerResources { MemoryLimitInBytes = (long)Limit };
        var fullId = await daemon.RunAsync(podId, pod, full);

        var first = await StatsAsync(daemon, busyId);
        Assert.Equal("busy", first.Attributes.Metadata.Name);
        Assert.NotEqual(0, first.Cpu.Timestamp);
        Assert.NotEqual(0, first.Memory.Timestamp);

        await Eventually.AsyncTrue(
            async () => (await StatsAsync(daemon, busyId)).Cpu.UsageNanoCores?.Value > 100_000_000, Patience, () => "no CPU is used");
        ContainerStats? used = null;
        await Eventually.AsyncTrue(
            async () => (used = await StatsAsync(daemon, fullId)) is
            {
                Memory: { WorkingSetBytes.Value: > Allocated, RssBytes.Value: > Allocated },
                WritableLayer.UsedBytes.Value: >= Written,
            },
            Patience, () => $"{used}");
        Assert.InRange(used!.Memory.AvailableBytes.Value, 1ul, Limit - Allocated);
        Assert.True(Directory.Exists(used.WritableLayer.FsId.Mountpoint));
        Assert.True(used.WritableLayer.InodesUsed.Value >= 2);

        var before = (await PodStatsAsync(daemon, podId)).Linux;
        Assert.Equal("eth0", before.Network.DefaultInterface.Name);
        Assert.Equal([busyId, fullId], before.Containers.Select(one => one.Attributes.Id).OrderBy(id => id != busyId));
        Assert.True(before.Process.ProcessCount.Value >= 2);
        await daemon.ExecAsync(busyId, "sh", "-c", "ping -c 3 -i 0.2 $(ip route | sed -n 's/default via \\([^ ]*\\).*/\\1/p') || wget -T 1 -O - http://10.255.255.1/");
        await Eventually.AsyncTrue(
            async () => (await PodStatsAsync(daemon, podId)).Linux.Network.DefaultInterface.TxBytes.Value > before.Network.DefaultInterface.TxBytes.Value,
            Patience, () => "nothing was sent");

        var labelled = await daemon.Runtime.ListContainerStatsAsync(new ListContainerStatsRequest
        {
            Filter = new ContainerStatsFilter { PodSandboxId = podId[..12], LabelSelector = { ["load"] = "cpu" } },
        });
        Assert.Equal([busyId], labelled.Stats.Select(one => one.Attributes.Id));

        await daemon.StopAndRemoveAsync(podId);
        Assert.Empty((await daemon.Runtime.ListContainerStatsAsync(new ListContainerStatsRequest())).Stats);
        Assert.Empty((await daemon.Runtime.ListPodSandboxStatsAsync(new ListPodSandboxStatsRequest())).Stats);
        var gone = await Assert.ThrowsAsync<RpcException>(async () => await StatsAsync(daemon, busyId));
        Assert.Equal(StatusCode.NotFound, gone.StatusCode);
    }

    private static async Task<ContainerStats> StatsAsync(DaemonFixture daemon, string id) =>
        (await daemon.Runtime.ContainerStatsAsync(new ContainerStatsRequest { ContainerId = id })).Stats;

    private static async Task<PodSandboxStats> PodStatsAsync(DaemonFixture daemon, string id) =>
        (await daemon.Runtime.PodSandboxStatsAsync(new PodSandboxStatsRequest { PodSandboxId = id })).Stats;
}
