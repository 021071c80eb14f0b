using Runtime.Ttrpc.Wire;

namespace Runtime.Shim.Metrics;

/// <summary>io.containerd.cgroups.v2.Metrics: pids 1, cpu 2, memory 4, memory_events 8. Microseconds and bytes.</summary>
internal static class MetricsV2
{
    private static readonly string[] CpuKeys =
        ["usage_usec", "user_usec", "system_usec", "nr_periods", "nr_throttled", "throttled_usec", "", "nr_bursts", "burst_usec"];

    private static readonly string[] MemoryKeys =
    [
        "anon", "file", "kernel_stack", "slab", "sock", "shmem", "file_mapped", "file_dirty", "file_writeback", "anon_thp",
        "inactive_anon", "active_anon", "inactive_file", "active_file", "unevictable", "slab_reclaimable", "slab_unreclaimable",
        "pgfault", "pgmajfault", "workingset_refault", "workingset_activate", "workingset_nodereclaim", "pgrefill", "pgscan",
        "pgsteal", "pgactivate", "pgdeactivate", "pglazyfree", "pglazyfreed", "thp_fault_alloc", "thp_collapse_alloc",
    ];

    private static readonly string[] EventKeys = ["low", "high", "max", "oom", "oom_kill", "oom_group_kill"];

    public static void Write(WireWriter writer, string directory)
    {
        var pids = writer.Begin(1);
        MetricFields.Number(writer, 1, directory, "pids.current");
        MetricFields.Number(writer, 2, directory, "pids.max");
        writer.End(pids);

        var cpu = writer.Begin(2);
        MetricFields.Keyed(writer, directory, "cpu.stat", CpuKeys);
        writer.End(cpu);

        var memory = writer.Begin(4);
        MetricFields.Keyed(writer, directory, "memory.stat", MemoryKeys);
        MetricFields.Number(writer, 32, directory, "memory.current");
        MetricFields.Limit(writer, 33, directory, "memory.max");
        MetricFields.Number(writer, 34, directory, "memory.swap.current");
        MetricFields.Limit(writer, 35, directory, "memory.swap.max");
        MetricFields.Number(writer, 36, directory, "memory.peak");
        MetricFields.Number(writer, 37, directory, "memory.swap.peak");
        writer.End(memory);

        var events = writer.Begin(8);
        MetricFields.Keyed(writer, directory, "memory.events", EventKeys);
        writer.End(events);
    }
}
