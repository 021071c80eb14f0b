namespace Runtime.Linux.Cgroups;

/// <summary>Usage of a cgroup with its descendants. Null where the controller is missing.</summary>
public sealed record CgroupStatistics(CpuStatistics? Cpu, MemoryStatistics? Memory, PidsStatistics? Pids);

/// <summary>CPU time in nanoseconds on both versions (v2 counts microseconds, v1's user and system time hundredths of a second).</summary>
/// <param name="Periods">Enforcement intervals of the quota that have passed.</param>
public readonly record struct CpuStatistics(
    ulong UsageNanoseconds, ulong UserNanoseconds, ulong SystemNanoseconds,
    ulong Periods, ulong ThrottledPeriods, ulong ThrottledNanoseconds);

/// <summary>Bytes, and counts of faults. 0 where a version has no such number.</summary>
/// <param name="Limit">Null for unlimited.</param>
/// <param name="MaxUsage">High-water mark: v1, and v2 since Linux 5.19.</param>
/// <param name="Rss">Anonymous memory.</param>
/// <param name="Cache">Memory of files.</param>
/// <param name="Swap">Swap alone, without memory.</param>
/// <param name="OomKills">Processes killed by the OOM killer, ever.</param>
public readonly record struct MemoryStatistics(
    ulong Usage, ulong? Limit, ulong MaxUsage, ulong Rss, ulong Cache, ulong MappedFile, ulong InactiveFile, ulong Kernel,
    ulong Swap, ulong? SwapLimit, ulong PageFaults, ulong MajorPageFaults, ulong OomKills)
{
    /// <summary>What the kubelet calls the working set: usage without inactive file pages.</summary>
    public ulong WorkingSet => Usage > InactiveFile ? Usage - InactiveFile : 0;
}

/// <param name="Limit">Null for unlimited.</param>
public readonly record struct PidsStatistics(ulong Current, ulong? Limit);
