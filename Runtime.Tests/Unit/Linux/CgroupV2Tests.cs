using Microsoft.Extensions.Time.Testing;
using Runtime.Faults;
using Runtime.Linux.Cgroups;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Linux;

/// <summary>cgroup v2 on a directory that looks like one.</summary>
public sealed class CgroupV2Tests : IDisposable
{
    private readonly TempDirectory _root = new();
    private readonly CgroupHierarchy _cgroups;

    public CgroupV2Tests()
    {
        Put("", ("cgroup.controllers", "cpu io memory pids\n"), ("cgroup.subtree_control", "cpu\n"), ("cgroup.procs", ""));
        _cgroups = CgroupHierarchy.Detect(_root.Path);
    }

    public void Dispose() => _root.Dispose();

    private void Put(string cgroup, params (string Name, string Text)[] files)
    {
        Directory.CreateDirectory(_root[cgroup]);
        foreach (var (name, text) in files)
            File.WriteAllText(Path.Combine(_root[cgroup], name), text);
    }

    [Fact]
    public void Version_2_is_detected_by_its_controllers_file()
    {
        Assert.Equal(CgroupMode.V2, _cgroups.Mode);
        Assert.Equal(["cpu", "io", "memory", "pids"], _cgroups.Controllers);
    }

    [Fact]
    public void Creating_a_leaf_passes_the_missing_controllers_on_in_every_parent()
    {
        Put("pods", ("cgroup.controllers", "cpu memory\n"), ("cgroup.subtree_control", "\n"));
        _cgroups.Create("/pods/leaf");
        Assert.True(_cgroups.Exists("/pods/leaf"));
        // A plain file keeps the last write from its start; the kernel would add them up.
        Assert.StartsWith("+pids", File.ReadAllText(_root["cgroup.subtree_control"]));
        Assert.StartsWith("+memory", File.ReadAllText(_root["pods/cgroup.subtree_control"]));
        _cgroups.Create("/pods/leaf");
    }

    [Fact]
    public void Statistics_are_read()
    {
        Put("a",
            ("cpu.stat", "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_periods 4\nnr_throttled 2\nthrottled_usec 30\n"),
            ("memory.current", "10000\n"), ("memory.max", "max\n"), ("memory.peak", "20000\n"), ("memory.swap.current", "5\n"),
            ("memory.swap.max", "0\n"), ("memory.events", "low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\noom_group_kill 1\n"),
            ("memory.stat", "anon 100\nfile 200\nkernel 30\nfile_mapped 7\ninactive_anon 1\ninactive_file 4000\npgfault 11\npgmajfault 12\n"),
            ("pids.current", "3\n"), ("pids.max", "100\n"));
        var all = _cgroups.TryReadStatistics("/a")!;
        Assert.Equal(new CpuStatistics(1_500_000, 1_000_000, 500_000, 4, 2, 30_000), all.Cpu);
        Assert.Equal(new MemoryStatistics(10_000, null, 20_000, 100, 200, 7, 4000, 30, 5, 0, 11, 12, 2, LimitHits: 9), all.Memory);
        Assert.Equal(6000ul, all.Memory!.Value.WorkingSet);
        Assert.Equal(new PidsStatistics(3, 100), all.Pids);
        Assert.Equal(2ul, _cgroups.OomKills("/a"));
    }

    [Fact]
    public void A_missing_controller_or_cgroup_reads_as_null()
    {
        Put("empty");
        Assert.Equal(new CgroupStatistics(null, null, null), _cgroups.TryReadStatistics("/empty"));
        Assert.Null(_cgroups.TryReadStatistics("/none"));
        Assert.Null(_cgroups.OomKills("/none"));
        Assert.Empty(_cgroups.Processes("/none", recursive: true));
        Assert.False(_cgroups.IsFrozen("/none"));
    }

    [Fact]
    public void Processes_are_listed_with_those_of_inner_cgroups()
    {
        Put("a", ("cgroup.procs", "30\n7\n"));
        Put("a/b", ("cgroup.procs", "7\n8"));
        Assert.Equal([7, 30], _cgroups.Processes("a", recursive: false));
        Assert.Equal([7, 8, 30], _cgroups.Processes("a", recursive: true));
    }

    [Fact]
    public void Freezing_killing_and_adding_write_the_kernels_files()
    {
        Put("a", ("cgroup.freeze", "0"), ("cgroup.kill", " "), ("cgroup.procs", ""), ("cgroup.events", "populated 1\nfrozen 1\n"));
        _cgroups.Freeze("/a", frozen: true);
        Assert.Equal("1", File.ReadAllText(_root["a/cgroup.freeze"]));
        Assert.True(_cgroups.IsFrozen("/a"));
        Assert.True(_cgroups.IsPopulated("/a"));
        _cgroups.KillAll("/a");
        Assert.Equal("1", File.ReadAllText(_root["a/cgroup.kill"]));
        _cgroups.AddProcess("/a", 4242);
        Assert.Equal("4242", File.ReadAllText(_root["a/cgroup.procs"]));
        Put("a", ("cgroup.events", "frozen 0\npopulated 0\n"));
        Assert.False(_cgroups.IsFrozen("/a"));
        Assert.False(_cgroups.IsPopulated("/a"));
    }

    [Fact]
    public async Task Deleting_takes_inner_cgroups_first_and_is_repeatable()
    {
        Put("a/b/c");
        var cancel = TestContext.Current.CancellationToken;
        Assert.True(await _cgroups.DeleteAsync("/a", TimeSpan.Zero, new FakeTimeProvider(), cancel));
        Assert.False(await _cgroups.DeleteAsync("/a", TimeSpan.Zero, new FakeTimeProvider(), cancel));
        Assert.False(Directory.Exists(_root["a"]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/a/../b")]
    [InlineData("a/./b")]
    [InlineData("a\0b")]
    public void A_path_that_is_no_cgroup_is_refused(string path) =>
        Assert.Equal("cgroup.bad-path", Assert.Throws<FaultException>(() => _cgroups.Create(path)).Fault.Code);

    [Fact]
    public void A_directory_without_cgroups_is_refused()
    {
        Put("plain/sub");
        Assert.Equal("cgroup.not-mounted", Assert.Throws<FaultException>(() => CgroupHierarchy.Detect(_root["plain"])).Fault.Code);
        Assert.Equal("cgroup.not-mounted", Assert.Throws<FaultException>(() => CgroupHierarchy.Detect(_root["none"])).Fault.Code);
    }
}
