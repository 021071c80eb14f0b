using Runtime.Faults;
using Runtime.Linux.Cgroups;
using Runtime.Ttrpc.Wire;

namespace Runtime.Shim.Metrics;

/// <summary>io.containerd.cgroups.v1.Metrics: pids 2, cpu 3, memory 4, memory_oom_control 9. Nanoseconds and bytes.</summary>
internal static class MetricsV1
{
    private const ulong NanosecondsPerTick = 10_000_000;

    private static readonly string[] MemoryKeys =
    [
        "cache", "rss", "rss_huge", "mapped_file", "dirty", "writeback", "pgpgin", "pgpgout", "pgfault", "pgmajfault",
        "inactive_anon", "active_anon", "inactive_file", "active_file", "unevictable", "hierarchical_memory_limit",
        "hierarchical_memsw_limit", "total_cache", "total_rss", "total_rss_huge", "total_mapped_file", "total_dirty",
        "total_writeback", "total_pgpgin", "total_pgpgout", "total_pgfault", "total_pgmajfault", "total_inactive_anon",
        "total_active_anon", "total_inactive_file", "total_active_file", "total_unevictable",
    ];

    public static void Write(WireWriter writer, CgroupHierarchy cgroups, string path)
    {
        if (Directory(cgroups, path, "pids") is { } pids)
        {
            var start = writer.Begin(2);
            MetricFields.Number(writer, 1, pids, "pids.current");
            MetricFields.Number(writer, 2, pids, "pids.max");
            writer.End(start);
        }
        WriteCpu(writer, cgroups, path);
        if (Directory(cgroups, path, "memory") is { } memory)
            WriteMemory(writer, memory);
    }

    private static void WriteCpu(WireWriter writer, CgroupHierarchy cgroups, string path)
    {
        var cpu = writer.Begin(3);
        if (Directory(cgroups, path, "cpuacct") is { } accounting)
        {
            var usage = writer.Begin(1);
            MetricFields.Number(writer, 1, accounting, "cpuacct.usage");
            MetricFields.Keyed(writer, accounting, "cpuacct.stat", ["", "system", "user"], NanosecondsPerTick);
            writer.End(usage);
        }
        if (Directory(cgroups, path, "cpu") is { } quota)
        {
            var throttling = writer.Begin(2);
            MetricFields.Keyed(writer, quota, "cpu.stat", ["nr_periods", "nr_throttled", "throttled_time"]);
            writer.End(throttling);
        }
        writer.End(cpu);
    }

    private static void WriteMemory(WireWriter writer, string directory)
    {
        var memory = writer.Begin(4);
        MetricFields.Keyed(writer, directory, "memory.stat", MemoryKeys);
        WriteEntry(writer, 33, directory, "memory");
        WriteEntry(writer, 34, directory, "memory.memsw");
        WriteEntry(writer, 35, directory, "memory.kmem");
        WriteEntry(writer, 36, directory, "memory.kmem.tcp");
        writer.End(memory);
        var oom = writer.Begin(9);
        MetricFields.Keyed(writer, directory, "memory.oom_control", ["oom_kill_disable", "under_oom", "oom_kill"]);
        writer.End(oom);
    }

    private static void WriteEntry(WireWriter writer, int field, string directory, string prefix)
    {
        var entry = writer.Begin(field);
        MetricFields.Limit(writer, 1, directory, $"{prefix}.limit_in_bytes");
        MetricFields.Number(writer, 2, directory, $"{prefix}.usage_in_bytes");
        MetricFields.Number(writer, 3, directory, $"{prefix}.max_usage_in_bytes");
        MetricFields.Number(writer, 4, directory, $"{prefix}.failcnt");
        writer.End(entry);
    }

    /// <summary>Null where the kernel has no such controller.</summary>
    private static string? Directory(CgroupHierarchy cgroups, string path, string controller)
    {
        try
        {
            return cgroups.DirectoryOf(path, controller);
        }
        catch (FaultException missing) when (missing.Fault.Kind == FaultKind.NotFound)
        {
            return null;
        }
    }
}
