using Runtime.Linux.Cgroups;
using Runtime.Linux.Network;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Linux;

/// <summary>Block I/O and pressure on directories that look like cgroups, and the counters of interfaces.</summary>
public sealed class CgroupUsageTests : IDisposable
{
    private readonly TempDirectory _root = new();

    public void Dispose() => _root.Dispose();

    private void Put(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_root[path])!);
        File.WriteAllText(_root[path], text);
    }

    [Fact]
    public void Version_2_tells_io_and_pressure_of_a_cgroup()
    {
        Put("cgroup.controllers", "io memory\n");
        Put("a/io.stat", "8:16 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n252:0 rbytes=9\n7:0\n");
        Put("a/cpu.pressure", "some avg10=1.50 avg60=0.25 avg300=0.00 total=700\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=3\n");
        Put("a/memory.current", "100\n");
        Put("a/memory.stat", "active_file 40\ninactive_file 10\n");
        Put("a/memory.events", "max 6\noom_kill 1\n");
        Put("a/cgroup.procs", "1\n2\n");
        Put("a/b/cgroup.procs", "3\n");
        var cgroups = CgroupHierarchy.Detect(_root.Path);

        var usage = cgroups.TryReadStatistics("/a")!;

        Assert.Equal([new(8, 16, 1, 2, 3, 4), new(252, 0, 9, 0, 0, 0)], usage.Io);
        Assert.Equal(new PressureShare(1.5, 0.25, 0, 700), usage.CpuPressure!.Value.Some);
        Assert.Equal(3ul, usage.CpuPressure!.Value.Full.TotalMicroseconds);
        Assert.Null(usage.IoPressure);
        Assert.Equal((40ul, 6ul, 1ul), (usage.Memory!.Value.ActiveFile, usage.Memory.Value.LimitHits, usage.Memory.Value.OomKills));
        Assert.Null(usage.Memory.Value.Swap);
        Assert.Equal(3, cgroups.CountProcesses("/a"));
        Assert.Equal(0, cgroups.CountProcesses("/none"));
    }

    [Fact]
    public void A_hybrid_machine_tells_io_of_version_1_and_pressure_of_version_2()
    {
        foreach (var hierarchy in new[] { "blkio", "memory", "unified" }) Put($"{hierarchy}/cgroup.procs", "");
        Put("unified/cgroup.controllers", "");
        Put("unified/a/memory.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=5\n");
        Put("blkio/a/blkio.throttle.io_service_bytes_recursive", "8:0 Read 10\n8:0 Write 20\n8:0 Total 30\nTotal 30\n");
        Put("blkio/a/blkio.throttle.io_serviced_recursive", "8:0 Read 1\n8:0 Write 2\nTotal 3\n");
        Put("memory/a/memory.usage_in_bytes", "100\n");
        Put("memory/a/memory.memsw.usage_in_bytes", "130\n");
        Put("memory/a/memory.failcnt", "4\n");
        Put("memory/a/memory.stat", "total_active_file 7\n");

        var usage = CgroupHierarchy.Detect(_root.Path).TryReadStatistics("/a")!;

        Assert.Equal([new(8, 0, 10, 20, 1, 2)], usage.Io);
        Assert.Equal(5ul, usage.MemoryPressure!.Value.Some.TotalMicroseconds);
        Assert.Equal((30ul, 4ul, 7ul), (usage.Memory!.Value.Swap, usage.Memory.Value.LimitHits, usage.Memory.Value.ActiveFile));
    }

    [Fact]
    public void Counters_of_interfaces_are_read_from_the_process_of_a_network_namespace()
    {
        Put("proc/7/net/dev", """
            Inter-|   Receive                                                |  Transmit
             face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
                lo:       1       2    0    0    0     0          0         0        1       2    0    0    0     0       0          0
              eth0: 1000 10 1 2 0 0 0 0 2000 20 3 4 0 0 0 0
            """);

        var interfaces = InterfaceCounters.TryRead(7, _root["proc"])!.Value;

        Assert.Equal(["lo", "eth0"], interfaces.Select(one => one.Name));
        Assert.Equal(new InterfaceCounters("eth0", 1000, 10, 1, 2, 2000, 20, 3, 4), interfaces[1]);
        Assert.Null(InterfaceCounters.TryRead(8, _root["proc"]));
    }
}
