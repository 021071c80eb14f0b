using System.Collections.Immutable;

namespace Runtime.Linux.Cgroups;

/// <summary>Usage of a cgroup with its descendants. Null where the controller is missing.</summary>
public sealed record CgroupStatistics(CpuStatistics? Cpu, MemoryStatistics? Memory, PidsStatistics? Pids)
{
    /// <summary>One entry a device that was used.</summary>
    public ImmutableArray<IoStatistics> Io { get; init; } = [];

    /// <summary>Null without pressure stall information: before Linux 4.20, or where the v2 hierarchy does not have the cgroup.</summary>
    public PressureStatistics? CpuPressure { get; init; }

    public PressureStatistics? MemoryPressure { get; init; }

    public PressureStatistics? IoPressure { get; init; }
}

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
/// <param name="Swap">Swap alone, without memory; null where it is not accounted.</param>
/// <param name="OomKills">Processes killed by the OOM killer, ever.</param>
/// <param name="LimitHits">How often usage met the limit: v1's failcnt, v2's <c>max</c> of memory.events.</param>
public readonly record struct MemoryStatistics(
    ulong Usage, ulong? Limit, ulong MaxUsage, ulong Rss, ulong Cache, ulong MappedFile, ulong InactiveFile, ulong Kernel,
    ulong? Swap, ulong? SwapLimit, ulong PageFaults, ulong MajorPageFaults, ulong OomKills, ulong ActiveFile = 0, ulong LimitHits = 0)
{
    /// <summary>What the kubelet calls the working set: usage without inactive file pages.</summary>
    public ulong WorkingSet => Usage > InactiveFile ? Usage - InactiveFile : 0;
}

/// <param name="Limit">Null for unlimited.</param>
public readonly record struct PidsStatistics(ulong Current, ulong? Limit);

/// <summary>Bytes and requests of one block device.</summary>
public readonly record struct IoStatistics(uint Major, uint Minor, ulong ReadBytes, ulong WrittenBytes, ulong Reads, ulong Writes);

/// <summary>Pressure stall information, Documentation/accounting/psi.rst.</summary>
/// <param name="Some">At least one task waited.</param>
/// <param name="Full">All tasks that were not idle waited.</param>
public readonly record struct PressureStatistics(PressureShare Some, PressureShare Full);

/// <summary>Averages are per cent of the last 10, 60 and 300 seconds.</summary>
public readonly record struct PressureShare(double Average10, double Average60, double Average300, ulong TotalMicroseconds);
