using System.Text.Json.Nodes;
using Runtime.Actors.Containers;
using Runtime.Oci.BlockIo;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Containers;

[Collection(KernelCollection.Name)]
public sealed class ContainerBlockIoTests
{
    private const string Disk = "/dev/loop0";

    [Fact]
    public async Task A_container_of_a_class_is_throttled_on_its_disks()
    {
        if (!File.Exists(Disk)) Assert.Skip($"The kernel has no {Disk} (CONFIG_BLK_DEV_LOOP).");
        if (!Directory.Exists("/sys/fs/cgroup/blkio")) Assert.Skip("The kernel has no blkio controller of cgroup v1.");
        var classes = BlockIoConfig.Parse("classes: {slow: [{devices: [\"/dev/loop[0]\"], throttlereadbps: 5M}]}"u8, "test");
        await using var world = await ContainerWorld.StartAsync(
            options => options with { Policy = options.Policy with { BlockIo = new BlockIoClasses(classes) } });
        var config = world.Shell("sleep 1000");

        var id = await world.RunAsync(config with { Annotations = config.Annotations.Add("io.kubernetes.cri.blockio-class", "slow") });

        var spec = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(world.Bundle(id), "config.json"), TestContext.Current.CancellationToken))!;
        var limits = await File.ReadAllTextAsync(
            $"/sys/fs/cgroup/blkio{spec["linux"]!["cgroupsPath"]}/blkio.throttle.read_bps_device", TestContext.Current.CancellationToken);
        Assert.Equal("7:0 5000000\n", limits);
    }
}
