using Runtime.Actors.Containers;
using Runtime.Actors.Sandboxes;
using Runtime.Actors.Statistics;
using Runtime.Linux.Cgroups;
using Runtime.Linux.Network;

namespace Runtime.Cri.Mapping;

/// <summary>Usage, to CRI. A number that nobody can know (memory available without a limit) is left out.</summary>
internal static class UsageMapping
{
    private const ulong NanosecondsPerMicrosecond = 1000;

    /// <param name="usage">Null where nothing has been read, as before the container's start: the attributes alone.</param>
    public static V1.ContainerStats ToWire(ContainerView view, ContainerUsage? usage)
    {
        var stats = new V1.ContainerStats
        {
            Attributes = new V1.ContainerAttributes { Id = view.Id, Metadata = ContainerMapping.MetadataOf(view.Config) },
        };
        stats.Attributes.Labels.Add(view.Config.Labels);
        stats.Attributes.Annotations.Add(view.Config.Annotations);
        if (usage?.Layer is { } layer) stats.WritableLayer = ToWire(layer);
        if (usage?.Cgroup is not { } cgroup) return stats;
        stats.Cpu = CpuOf(cgroup);
        stats.Memory = MemoryOf(cgroup);
        stats.Swap = SwapOf(cgroup);
        stats.Io = IoOf(cgroup);
        return stats;
    }

    public static V1.PodSandboxStats ToWire(SandboxView view, PodUsage usage, IReadOnlyCollection<V1.ContainerStats> containers, int processes)
    {
        var at = usage.Pod?.At ?? usage.Network?.At ?? DateTimeOffset.UnixEpoch;
        var linux = new V1.LinuxPodSandboxStats
        {
            Process = new V1.ProcessUsage { Timestamp = WireTime.Nanoseconds(at), ProcessCount = Value((ulong)processes) },
        };
        if (usage.Pod is { } pod)
        {
            linux.Cpu = CpuOf(pod);
            linux.Memory = MemoryOf(pod);
            linux.Io = IoOf(pod);
        }
        else if (containers.Count > 0)
        {
            linux.Cpu = Sum(containers.Select(one => one.Cpu).OfType<V1.CpuUsage>().ToArray());
            linux.Memory = Sum(containers.Select(one => one.Memory).OfType<V1.MemoryUsage>().ToArray());
        }
        if (usage.Network is { } network) linux.Network = ToWire(network);
        linux.Containers.AddRange(containers);
        var stats = new V1.PodSandboxStats
        {
            Attributes = new V1.PodSandboxAttributes { Id = view.Id, Metadata = SandboxMapping.MetadataOf(view.Config) },
            Linux = linux,
        };
        stats.Attributes.Labels.Add(view.Config.Labels);
        stats.Attributes.Annotations.Add(view.Config.Annotations);
        return stats;
    }

    private static V1.FilesystemUsage ToWire(LayerUsage layer) => new()
    {
        Timestamp = WireTime.Nanoseconds(layer.At),
        FsId = new V1.FilesystemIdentifier { Mountpoint = layer.Mountpoint },
        UsedBytes = Value((ulong)layer.Bytes),
        InodesUsed = Value((ulong)layer.Inodes),
    };

    private static V1.CpuUsage? CpuOf(CgroupUsage usage) => usage.Statistics.Cpu is not { } cpu ? null : new V1.CpuUsage
    {
        Timestamp = WireTime.Nanoseconds(usage.At),
        UsageCoreNanoSeconds = Value(cpu.UsageNanoseconds),
        UsageNanoCores = Value(usage.NanoCores),
        Psi = ToWire(usage.Statistics.CpuPressure),
    };

    private static V1.MemoryUsage? MemoryOf(CgroupUsage usage) => usage.Statistics.Memory is not { } memory ? null : new V1.MemoryUsage
    {
        Timestamp = WireTime.Nanoseconds(usage.At),
        WorkingSetBytes = Value(memory.WorkingSet),
        AvailableBytes = Value(memory.Limit - Math.Min(memory.Limit ?? 0, memory.WorkingSet)),
        UsageBytes = Value(memory.Usage),
        RssBytes = Value(memory.Rss),
        PageFaults = Value(memory.PageFaults),
        MajorPageFaults = Value(memory.MajorPageFaults),
        Psi = ToWire(usage.Statistics.MemoryPressure),
    };

    private static V1.SwapUsage? SwapOf(CgroupUsage usage) => usage.Statistics.Memory is not { Swap: { } swap } memory ? null : new V1.SwapUsage
    {
        Timestamp = WireTime.Nanoseconds(usage.At),
        SwapAvailableBytes = Value(memory.SwapLimit - Math.Min(memory.SwapLimit ?? 0, swap)),
        SwapUsageBytes = Value(swap),
    };

    private static V1.IoUsage? IoOf(CgroupUsage usage) => usage.Statistics.IoPressure is null ? null : new V1.IoUsage
    {
        Timestamp = WireTime.Nanoseconds(usage.At),
        Psi = ToWire(usage.Statistics.IoPressure),
    };

    // Pods without a cgroup of their own (crictl's) are what their containers are.
    private static V1.CpuUsage? Sum(V1.CpuUsage[] parts) => parts.Length == 0 ? null : new V1.CpuUsage
    {
        Timestamp = parts.Max(part => part.Timestamp),
        UsageCoreNanoSeconds = Sum(parts.Select(part => part.UsageCoreNanoSeconds)),
        UsageNanoCores = Sum(parts.Select(part => part.UsageNanoCores)),
    };

    private static V1.MemoryUsage? Sum(V1.MemoryUsage[] parts) => parts.Length == 0 ? null : new V1.MemoryUsage
    {
        Timestamp = parts.Max(part => part.Timestamp),
        WorkingSetBytes = Sum(parts.Select(part => part.WorkingSetBytes)),
        UsageBytes = Sum(parts.Select(part => part.UsageBytes)),
        RssBytes = Sum(parts.Select(part => part.RssBytes)),
        PageFaults = Sum(parts.Select(part => part.PageFaults)),
        MajorPageFaults = Sum(parts.Select(part => part.MajorPageFaults)),
    };

    private static V1.UInt64Value? Sum(IEnumerable<V1.UInt64Value?> parts)
    {
        var known = parts.OfType<V1.UInt64Value>().ToArray();
        return known.Length == 0 ? null : Value(known.Aggregate(0ul, (sum, part) => sum + part.Value));
    }

    private static V1.NetworkUsage ToWire(NetworkUsage network)
    {
        var usage = new V1.NetworkUsage { Timestamp = WireTime.Nanoseconds(network.At) };
        if (network.Interfaces is not [var first, .. var others]) return usage;
        usage.DefaultInterface = ToWire(first);
        usage.Interfaces.AddRange(others.Select(ToWire));
        return usage;
    }

    private static V1.NetworkInterfaceUsage ToWire(InterfaceCounters counters) => new()
    {
        Name = counters.Name,
        RxBytes = Value(counters.ReceivedBytes),
        RxErrors = Value(counters.ReceiveErrors),
        TxBytes = Value(counters.SentBytes),
        TxErrors = Value(counters.SendErrors),
    };

    private static V1.PsiStats? ToWire(PressureStatistics? pressure) => pressure is not { } known ? null : new V1.PsiStats
    {
        Some = ToWire(known.Some),
        Full = ToWire(known.Full),
    };

    private static V1.PsiData ToWire(PressureShare share) => new()
    {
        Total = share.TotalMicroseconds * NanosecondsPerMicrosecond,
        Avg10 = share.Average10,
        Avg60 = share.Average60,
        Avg300 = share.Average300,
    };

    private static V1.UInt64Value? Value(ulong? value) => value is { } known ? new V1.UInt64Value { Value = known } : null;
}
