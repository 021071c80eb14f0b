using System.Text.Json.Nodes;
using Grpc.Core;
using Runtime.Cri.V1;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.EndToEnd;

/// <summary>What the kubelet tells the runtime after the start: the pods' addresses, and what a pod may use now.</summary>
[Collection(KernelCollection.Name)]
public sealed class NodeUpdateTests
{
    [Fact]
    public async Task The_pod_network_is_made_of_the_template_when_the_addresses_are_known()
    {
        await using var daemon = await DaemonFixture.StartAsync(NetworkAsTemplate, withImage: false);
        Assert.False(await IsReadyAsync(daemon));
        var update = new UpdateRuntimeConfigRequest { RuntimeConfig = new RuntimeConfig { NetworkConfig = new NetworkConfig() } };

        await daemon.Runtime.UpdateRuntimeConfigAsync(new UpdateRuntimeConfigRequest());
        await daemon.Runtime.UpdateRuntimeConfigAsync(update);
        Assert.False(await IsReadyAsync(daemon));
        update.RuntimeConfig.NetworkConfig.PodCidr = "10.199.7.0/24";
        await daemon.Runtime.UpdateRuntimeConfigAsync(update);
        await daemon.Runtime.UpdateRuntimeConfigAsync(update);

        Assert.True(await IsReadyAsync(daemon));
        var podId = await daemon.RunPodAsync(daemon.Pod("templated"));
        var status = await daemon.Runtime.PodSandboxStatusAsync(new PodSandboxStatusRequest { PodSandboxId = podId });
        Assert.StartsWith("10.199.7.", status.Status.Network.Ip, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_pod_may_use_now_is_shown_also_after_the_daemons_death()
    {
        await using var daemon = await DaemonFixture.StartAsync(withImage: false);
        var pod = daemon.Pod("resized");
        pod.Linux.Resources = new LinuxContainerResources { CpuShares = 512 };
        var podId = await daemon.RunPodAsync(pod);
        Assert.Equal(512, (int?)(await LinuxAsync(daemon, podId))["resources"]!["cpu_shares"]);

        await daemon.Runtime.UpdatePodSandboxResourcesAsync(new UpdatePodSandboxResourcesRequest
        {
            PodSandboxId = podId,
            Overhead = new LinuxContainerResources { MemoryLimitInBytes = 1 << 20 },
            Resources = new LinuxContainerResources { CpuShares = 1024, CpuQuota = -1 },
        });
        await daemon.RestartAfterKillAsync();

        var linux = await LinuxAsync(daemon, podId);
        Assert.Equal("""{"cpu_quota":-1,"cpu_shares":1024}""", linux["resources"]!.ToJsonString());
        Assert.Equal(1 << 20, (int?)linux["overhead"]!["memory_limit_in_bytes"]);
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await daemon.Runtime.UpdatePodSandboxResourcesAsync(
            new UpdatePodSandboxResourcesRequest { PodSandboxId = new string('a', 64) }));
        Assert.Equal(StatusCode.NotFound, refused.StatusCode);
    }

    private static void NetworkAsTemplate(DaemonFixture daemon)
    {
        var network = Path.Combine(daemon.CniDirectory, "10-test.conflist");
        var template = Path.Combine(daemon.Logs, "cni.template");
        Directory.CreateDirectory(daemon.Logs);
        File.WriteAllText(template, System.Text.RegularExpressions.Regex.Replace(
            File.ReadAllText(network), "\"subnet\": \"[^\"]+\"", "\"subnet\": \"{{.PodCIDR}}\""));
        File.Delete(network);
        daemon.Configuration = $"conf_template = \"{template}\"";
    }

    private static async Task<bool> IsReadyAsync(DaemonFixture daemon) =>
        (await daemon.Runtime.StatusAsync(new StatusRequest())).Status.Conditions.Single(one => one.Type == "NetworkReady").Status;

    private static async Task<JsonNode> LinuxAsync(DaemonFixture daemon, string podId)
    {
        var status = await daemon.Runtime.PodSandboxStatusAsync(new PodSandboxStatusRequest { PodSandboxId = podId, Verbose = true });
        return JsonNode.Parse(status.Info["info"])!["config"]!["linux"]!;
    }
}
