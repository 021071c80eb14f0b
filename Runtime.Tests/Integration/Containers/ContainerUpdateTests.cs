using System.Text;
using System.Text.Json.Nodes;
using Runtime.Actors.Containers;
using Runtime.Faults;
using Runtime.Linux.Cgroups;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Containers;

[Collection(KernelCollection.Name)]
public sealed class ContainerUpdateTests
{
    private const long Megabyte = 1024 * 1024;

    [Fact]
    public async Task A_running_container_gets_what_is_set_and_keeps_the_rest_also_over_a_restart()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("sleep 1000") with
        {
            Resources = new ContainerResources { MemoryLimit = 64 * Megabyte, CpuShares = 512, CpuQuota = 50_000, CpuPeriod = 100_000, OomScoreAdjust = 500 },
        });
        await world.AskAsync<ContainerUpdated>(world.Update(id, new ContainerResources { MemoryLimit = 96 * Megabyte, CpuQuota = 70_000 }));
        AssertLimits(world, id, 96 * Megabyte, quota: 70_000, shares: 512);
        await world.AskAsync<ContainerUpdated>(world.Update(id, new ContainerResources { CpuShares = 256, CpuQuota = -1 }));
        AssertLimits(world, id, 96 * Megabyte, quota: -1, shares: 256);
        await world.StopDaemonAsync();
        world.StartDaemon();
        await world.AskAsync<ExecSyncResult>(world.Exec(id, 30, "/bin/true"));
        AssertLimits(world, id, 96 * Megabyte, quota: -1, shares: 256);
        Assert.Equal(500, world.View(id).Config.Resources!.OomScoreAdjust);
    }

    [Fact]
    public async Task What_the_runtime_refuses_changes_neither_spec_nor_view_nor_cgroup()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("sleep 1000") with { Resources = new ContainerResources { MemoryLimit = 64 * Megabyte, CpuShares = 512 } });
        var before = await File.ReadAllTextAsync(Path.Combine(world.Bundle(id), "config.json"), TestContext.Current.CancellationToken);
        var fault = await world.RefusedAsync(world.Update(id, new ContainerResources { CpusetCpus = "4711", CpuShares = 100 }));
        Assert.Contains("update failed", fault.Message, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllTextAsync(Path.Combine(world.Bundle(id), "config.json"), TestContext.Current.CancellationToken));
        Assert.Equal(("", 512), (world.View(id).Config.Resources!.CpusetCpus, world.View(id).Config.Resources!.CpuShares));
    }

    [Fact]
    public async Task A_created_container_starts_with_its_new_limits()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.CreateAsync(world.Shell("sleep 1000"));
        await world.AskAsync<ContainerUpdated>(world.Update(id, new ContainerResources { MemoryLimit = 48 * Megabyte, CpuQuota = 20_000, CpuPeriod = 100_000, CpuShares = 128 }));
        await world.StartAsync(id, TestContext.Current.CancellationToken);
        AssertLimits(world, id, 48 * Megabyte, quota: 20_000, shares: 128);
    }

    [Fact]
    public async Task Updates_at_the_same_time_all_take_place()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("sleep 1000"));
        await Task.WhenAll(
            world.AskAsync<ContainerUpdated>(world.Update(id, new ContainerResources { MemoryLimit = 80 * Megabyte })),
            world.AskAsync<ContainerUpdated>(world.Update(id, new ContainerResources { CpuShares = 300 })),
            world.AskAsync<ContainerUpdated>(world.Update(id, new ContainerResources { CpuQuota = 30_000, CpuPeriod = 100_000 })));
        AssertLimits(world, id, 80 * Megabyte, quota: 30_000, shares: 300);
    }

    [Fact]
    public async Task A_container_that_has_exited_is_refused()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("true"));
        await ContainerWorld.UntilAsync(() => world.View(id).Phase == ContainerPhase.Exited, "it has exited");
        var fault = await world.RefusedAsync(world.Update(id, new ContainerResources { CpuShares = 300 }));
        Assert.Equal(FaultKind.FailedPrecondition, fault.Kind);
    }

    /// <summary>In the cgroup, in the stored spec and in the view alike.</summary>
    private static void AssertLimits(ContainerWorld world, string id, long memory, long quota, long shares)
    {
        var spec = JsonNode.Parse(File.ReadAllBytes(Path.Combine(world.Bundle(id), "config.json")))!["linux"]!["resources"]!;
        Assert.Equal(
            (memory, quota, shares),
            ((long)spec["memory"]!["limit"]!, (long)spec["cpu"]!["quota"]!, (long)spec["cpu"]!["shares"]!));
        var view = world.View(id).Config.Resources!;
        Assert.Equal((memory, quota, shares), (view.MemoryLimit, view.CpuQuota, view.CpuShares));
        var cgroups = CgroupHierarchy.Detect();
        var path = cgroups.PathOf((int)world.View(id).Pid)!;
        if (cgroups.IsV2)
        {
            Assert.Equal($"{memory}", Read(cgroups, path, "memory", "memory.max"));
            Assert.Equal(quota < 0 ? "max" : $"{quota}", Read(cgroups, path, "cpu", "cpu.max").Split(' ')[0]);
            return;
        }
        Assert.Equal($"{memory}", Read(cgroups, path, "memory", "memory.limit_in_bytes"));
        Assert.Equal($"{quota}", Read(cgroups, path, "cpu", "cpu.cfs_quota_us"));
        Assert.Equal($"{shares}", Read(cgroups, path, "cpu", "cpu.shares"));
    }

    private static string Read(CgroupHierarchy cgroups, string path, string controller, string file) =>
        File.ReadAllText(Path.Combine(cgroups.DirectoryOf(path, controller), file), Encoding.ASCII).Trim();
}
