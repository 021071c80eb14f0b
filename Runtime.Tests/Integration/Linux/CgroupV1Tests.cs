using System.Diagnostics;
using Runtime.Faults;
using Runtime.Linux.Cgroups;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Linux;

/// <summary>The cgroups of this machine.</summary>
[Collection(KernelCollection.Name)]
public sealed class CgroupV1Tests : IAsyncLifetime
{
    private readonly CgroupHierarchy _cgroups = CgroupHierarchy.Detect();
    private readonly string _parent = $"/actord-test-{Environment.ProcessId}";

    private string Leaf => $"{_parent}/leaf";

    public ValueTask InitializeAsync()
    {
        Assert.SkipWhen(_cgroups.IsV2, "cgroup v1 is not mounted on this machine");
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _cgroups.KillAll(_parent);
        await _cgroups.DeleteAsync(_parent, TimeSpan.FromSeconds(10), TimeProvider.System);
        Assert.False(_cgroups.Exists(_parent));
    }

    private Process Sleep()
    {
        var process = Process.Start("sleep", "1000");
        _cgroups.AddProcess(Leaf, process.Id);
        return process;
    }

    [Fact]
    public async Task A_leaf_holds_processes_in_every_hierarchy_until_they_are_killed()
    {
        _cgroups.Create(Leaf);
        using var process = Sleep();
        Assert.Equal([process.Id], _cgroups.Processes(Leaf, recursive: false));
        Assert.Equal([process.Id], _cgroups.Processes(_parent, recursive: true));
        Assert.Equal(Leaf, _cgroups.PathOf(process.Id));
        foreach (var controller in (string[])["cpu", "cpuset", "memory", "pids", "freezer", "devices"])
            Assert.Contains(process.Id.ToString(), File.ReadAllText(Path.Combine(_cgroups.DirectoryOf(Leaf, controller), "cgroup.procs")));
        var busy = await Assert.ThrowsAsync<FaultException>(() =>
            _cgroups.DeleteAsync(_parent, TimeSpan.FromMilliseconds(20), TimeProvider.System, TestContext.Current.CancellationToken));
        Assert.Equal("cgroup.busy", busy.Fault.Code);
        Assert.Contains(process.Id.ToString(), busy.Fault.Message);
        Assert.Equal(1, _cgroups.KillAll(Leaf));
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.False(_cgroups.IsPopulated(Leaf));
        Assert.Equal(0ul, _cgroups.OomKills(Leaf));
    }

    [Fact]
    public async Task A_frozen_cgroup_stands_still_and_can_be_killed()
    {
        _cgroups.Create(Leaf);
        using var process = Sleep();
        _cgroups.Freeze(Leaf, frozen: true);
        while (!_cgroups.IsFrozen(Leaf))
            await Task.Delay(1, TestContext.Current.CancellationToken);
        _cgroups.Freeze(Leaf, frozen: false);
        Assert.False(_cgroups.IsFrozen(Leaf));
        _cgroups.Freeze(Leaf, frozen: true);
        _cgroups.KillAll(Leaf);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Statistics_show_what_a_process_used()
    {
        _cgroups.Create(Leaf);
        _cgroups.Write(Leaf, "memory", "memory.limit_in_bytes", "67108864");
        _cgroups.Write(Leaf, "pids", "pids.max", "50");
        using var process = Process.Start("sh", ["-c", "x=$(head -c 10000000 /dev/zero | tr '\\0' x); sleep 1000"]);
        _cgroups.AddProcess(Leaf, process.Id);
        CgroupStatistics? statistics = null;
        while (statistics?.Memory?.Rss is null or < 5_000_000)
        {
            statistics = _cgroups.TryReadStatistics(Leaf);
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
        Assert.Equal((67_108_864ul, 50ul), (statistics.Memory!.Value.Limit!.Value, statistics.Pids!.Value.Limit!.Value));
        Assert.InRange(statistics.Memory.Value.Usage, 5_000_000ul, 67_108_864ul);
        Assert.InRange(statistics.Cpu!.Value.UsageNanoseconds, 1_000_000ul, 60_000_000_000ul);
        Assert.True(statistics.Pids.Value.Current >= 1);
        _cgroups.KillAll(Leaf);
        Assert.Null(_cgroups.TryReadStatistics($"{_parent}/none"));
        Assert.Null(_cgroups.TryReadStatistics(_parent)!.Memory!.Value.Limit);
    }

    [Fact]
    public async Task A_kill_of_the_oom_killer_is_counted()
    {
        _cgroups.Create(Leaf);
        _cgroups.Write(Leaf, "memory", "memory.limit_in_bytes", "8388608");
        using var process = Process.Start(new ProcessStartInfo("sh", ["-c", "read go; exec tail /dev/zero"]) { RedirectStandardInput = true })!;
        _cgroups.AddProcess(Leaf, process.Id);
        await process.StandardInput.WriteLineAsync("go");
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(137, process.ExitCode);
        Assert.Equal(1ul, _cgroups.OomKills(Leaf));
        Assert.Equal(1ul, _cgroups.TryReadStatistics(Leaf)!.Memory!.Value.OomKills);
    }
}
