namespace Runtime.Linux.Cgroups;

public sealed partial class CgroupHierarchy
{
    /// <summary>USER_HZ, the unit of cpuacct.stat: 100 on every architecture that we run on.</summary>
    private const ulong NanosecondsPerTick = 10_000_000;

    /// <summary>Usage of a cgroup; null where it is missing.</summary>
    public CgroupStatistics? TryReadStatistics(string path) =>
        !Exists(path) ? null : new(ReadCpu(path), ReadMemory(path), ReadPids(path))
        {
            Io = ReadIo(path),
            CpuPressure = ReadPressure(path, "cpu.pressure"),
            MemoryPressure = ReadPressure(path, "memory.pressure"),
            IoPressure = ReadPressure(path, "io.pressure"),
        };

    /// <summary>How many processes are in the cgroup and inside of it; 0 for one that is missing.</summary>
    /// <remarks>Looked up in one hierarchy: every process is in all of them.</remarks>
    public int CountProcesses(string path)
    {
        var pids = new List<int>();
        foreach (var each in Descending(CountedDirectory(path)))
            CgroupFile.ReadPids(each, "cgroup.procs", pids);
        return pids.Count;
    }

    /// <summary>Processes of the cgroup that the OOM killer killed, ever; null where that is not counted.</summary>
    /// <remarks>v1: oom_kill of memory.oom_control, Linux 4.13. v2: oom_kill of memory.events, which includes descendants.</remarks>
    public ulong? OomKills(string path)
    {
        if (TryDirectoryOf(path, "memory") is not { } directory)
            return null;
        ulong? kills = null;
        CgroupFile.ReadKeyed(directory, IsV2 ? "memory.events" : "memory.oom_control", ref kills, static (key, value, ref kills) =>
        {
            if (key.SequenceEqual("oom_kill"u8))
                kills = value;
        });
        return kills;
    }

    private CpuStatistics? ReadCpu(string path) => IsV2 ? ReadCpuV2(DirectoryOf(path, "cpu")) : ReadCpuV1(path);

    private static CpuStatistics? ReadCpuV2(string directory)
    {
        var cpu = default(CpuStatistics);
        return CgroupFile.ReadKeyed(directory, "cpu.stat", ref cpu, static (key, value, ref cpu) =>
        {
            if (key.SequenceEqual("usage_usec"u8))
                cpu = cpu with { UsageNanoseconds = value * 1000 };
            else if (key.SequenceEqual("user_usec"u8))
                cpu = cpu with { UserNanoseconds = value * 1000 };
            else if (key.SequenceEqual("system_usec"u8))
                cpu = cpu with { SystemNanoseconds = value * 1000 };
            else if (key.SequenceEqual("nr_periods"u8))
                cpu = cpu with { Periods = value };
            else if (key.SequenceEqual("nr_throttled"u8))
                cpu = cpu with { ThrottledPeriods = value };
            else if (key.SequenceEqual("throttled_usec"u8))
                cpu = cpu with { ThrottledNanoseconds = value * 1000 };
        }) ? cpu : null;
    }

    private CpuStatistics? ReadCpuV1(string path)
    {
        if (TryDirectoryOf(path, "cpuacct") is not { } accounting
            || CgroupFile.ReadNumber(accounting, "cpuacct.usage") is not { } usage)
            return null;
        var cpu = new CpuStatistics { UsageNanoseconds = usage };
        CgroupFile.ReadKeyed(accounting, "cpuacct.stat", ref cpu, static (key, value, ref cpu) =>
        {
            if (key.SequenceEqual("user"u8))
                cpu = cpu with { UserNanoseconds = value * NanosecondsPerTick };
            else if (key.SequenceEqual("system"u8))
                cpu = cpu with { SystemNanoseconds = value * NanosecondsPerTick };
        });
        if (TryDirectoryOf(path, "cpu") is { } directory)
        {
            CgroupFile.ReadKeyed(directory, "cpu.stat", ref cpu, static (key, value, ref cpu) =>
            {
                if (key.SequenceEqual("nr_periods"u8))
                    cpu = cpu with { Periods = value };
                else if (key.SequenceEqual("nr_throttled"u8))
                    cpu = cpu with { ThrottledPeriods = value };
                else if (key.SequenceEqual("throttled_time"u8))
                    cpu = cpu with { ThrottledNanoseconds = value };
            });
        }
        return cpu;
    }

    private MemoryStatistics? ReadMemory(string path)
    {
        if (TryDirectoryOf(path, "memory") is not { } directory)
            return null;
        var memory = IsV2 ? ReadMemoryV2(directory) : ReadMemoryV1(directory);
        if (memory is not { } read)
            return null;
        read = read with { OomKills = OomKills(path) ?? 0 };
        return IsV2 ? read with { LimitHits = LimitHitsV2(directory) } : read;
    }

    private static MemoryStatistics? ReadMemoryV2(string directory)
    {
        if (CgroupFile.ReadNumber(directory, "memory.current") is not { } usage)
            return null;
        var memory = new MemoryStatistics
        {
            Usage = usage,
            Limit = CgroupFile.ReadNumber(directory, "memory.max"),
            MaxUsage = CgroupFile.ReadNumber(directory, "memory.peak") ?? 0,
            Swap = CgroupFile.ReadNumber(directory, "memory.swap.current"),
            SwapLimit = CgroupFile.ReadNumber(directory, "memory.swap.max"),
        };
        CgroupFile.ReadKeyed(directory, "memory.stat", ref memory, static (key, value, ref memory) =>
        {
            if (key.SequenceEqual("anon"u8))
                memory = memory with { Rss = value };
            else if (key.SequenceEqual("file"u8))
                memory = memory with { Cache = value };
            else if (key.SequenceEqual("file_mapped"u8))
                memory = memory with { MappedFile = value };
            else if (key.SequenceEqual("inactive_file"u8))
                memory = memory with { InactiveFile = value };
            else if (key.SequenceEqual("active_file"u8))
                memory = memory with { ActiveFile = value };
            else if (key.SequenceEqual("kernel"u8))
                memory = memory with { Kernel = value };
            else if (key.SequenceEqual("pgfault"u8))
                memory = memory with { PageFaults = value };
            else if (key.SequenceEqual("pgmajfault"u8))
                memory = memory with { MajorPageFaults = value };
        });
        return memory;
    }

    /// <summary>The total_ numbers of memory.stat include the cgroups inside, as usage does.</summary>
    private static MemoryStatistics? ReadMemoryV1(string directory)
    {
        if (CgroupFile.ReadNumber(directory, "memory.usage_in_bytes") is not { } usage)
            return null;
        var limit = CgroupFile.ReadNumber(directory, "memory.limit_in_bytes");
        var both = CgroupFile.ReadNumber(directory, "memory.memsw.usage_in_bytes");
        var bothLimit = CgroupFile.ReadNumber(directory, "memory.memsw.limit_in_bytes");
        var memory = new MemoryStatistics
        {
            Usage = usage,
            Limit = limit,
            MaxUsage = CgroupFile.ReadNumber(directory, "memory.max_usage_in_bytes") ?? 0,
            Kernel = CgroupFile.ReadNumber(directory, "memory.kmem.usage_in_bytes") ?? 0,
            Swap = both - Math.Min(both ?? 0, usage),
            LimitHits = CgroupFile.ReadNumber(directory, "memory.failcnt") ?? 0,
            SwapLimit = bothLimit is { } most && limit is { } own ? most - Math.Min(most, own) : null,
        };
        CgroupFile.ReadKeyed(directory, "memory.stat", ref memory, static (key, value, ref memory) =>
        {
            if (key.SequenceEqual("total_rss"u8))
                memory = memory with { Rss = value };
            else if (key.SequenceEqual("total_cache"u8))
                memory = memory with { Cache = value };
            else if (key.SequenceEqual("total_mapped_file"u8))
                memory = memory with { MappedFile = value };
            else if (key.SequenceEqual("total_inactive_file"u8))
                memory = memory with { InactiveFile = value };
            else if (key.SequenceEqual("total_active_file"u8))
                memory = memory with { ActiveFile = value };
            else if (key.SequenceEqual("total_pgfault"u8))
                memory = memory with { PageFaults = value };
            else if (key.SequenceEqual("total_pgmajfault"u8))
                memory = memory with { MajorPageFaults = value };
        });
        return memory;
    }

    private static ulong LimitHitsV2(string directory)
    {
        var hits = 0ul;
        CgroupFile.ReadKeyed(directory, "memory.events", ref hits, static (key, value, ref hits) =>
        {
            if (key.SequenceEqual("max"u8))
                hits = value;
        });
        return hits;
    }

    private string CountedDirectory(string path) =>
        TryDirectoryOf(path, "pids") ?? TryDirectoryOf(path, "memory") ?? Directories(path).First();

    private PidsStatistics? ReadPids(string path) =>
        TryDirectoryOf(path, "pids") is { } directory && CgroupFile.ReadNumber(directory, "pids.current") is { } current
            ? new(current, CgroupFile.ReadNumber(directory, "pids.max"))
            : null;
}
