using Runtime.Faults;
using Runtime.Oci.RuntimeSpec;

namespace Runtime.Actors.Containers;

public static partial class ContainerSpecBuilder
{
    private const ulong CpuSharesMin = 2; // the kernel's own minimum
    private const string UnifiedPidsMax = "pids.max";

    /// <summary>oom_score_adj is a kernel value from -1000 to 1000; without the right to lower it, the daemon's own is the least.</summary>
    private static long? OomScoreOf(ContainerResources? resources, HostFacts host)
    {
        var wanted = Math.Clamp(resources?.OomScoreAdjust ?? 0, -1000, 1000);
        return host.MayLowerOomScore ? wanted : Math.Max(wanted, host.OomScoreAdj);
    }

    private static OciResources ResourcesOf(SpecRequest request, OciResources start)
    {
        var resources = ResourcesOf(request.Config.Resources ?? new ContainerResources(), request.Host, start) with
        {
            BlockIo = request.Facts.BlockIo ?? start.BlockIo,
        };
        var (isPrivileged, handler) = (request.Config.Security.Privileged, request.Handler);
        if (isPrivileged && (!handler.PrivilegedWithoutHostDevices || handler.PrivilegedWithAllDevicesAllowed))
            return resources with { Devices = [new OciDeviceRule(true, Access: "rwm")] };
        // The runtime adds the nodes that every container has (null, zero, pts ...) on its own.
        return resources with
        {
            Devices =
            [
                new OciDeviceRule(false, Access: "rwm"),
                .. request.Facts.Devices.Select(node => new OciDeviceRule(true, node.Type, node.Major, node.Minor, node.Access)),
            ],
        };
    }

    /// <summary>The cgroup limits of CRI's resources, over those of <paramref name="start"/>: 0 leaves a value as it is.</summary>
    /// <exception cref="FaultException">InvalidArgument: unified values on a host that has cgroup v1.</exception>
    public static OciResources ResourcesOf(ContainerResources asked, HostFacts host, OciResources start) => start with
    {
        Cpu = CpuOf(asked, start.Cpu ?? new OciCpu()),
        Memory = MemoryOf(asked, host, start.Memory ?? new OciMemory()),
        HugepageLimits = HugepagesOf(asked, host) ?? start.HugepageLimits,
        Unified = host.CgroupV2 && asked.Unified.Count > 0 ? asked.Unified : start.Unified,
        Pids = host.CgroupV2 || asked.Unified.IsEmpty ? start.Pids : PidsOf(asked),
    };

    private static OciCpu? CpuOf(ContainerResources asked, OciCpu start)
    {
        var cpu = start with
        {
            Shares = asked.CpuShares > 0 ? Math.Max((ulong)asked.CpuShares, CpuSharesMin) : start.Shares,
            Quota = asked.CpuQuota != 0 ? asked.CpuQuota : start.Quota,
            Period = asked.CpuPeriod > 0 ? (ulong)asked.CpuPeriod : start.Period,
            Cpus = asked.CpusetCpus.Length > 0 ? asked.CpusetCpus : start.Cpus,
            Mems = asked.CpusetMems.Length > 0 ? asked.CpusetMems : start.Mems,
        };
        return cpu == new OciCpu() ? null : cpu;
    }

    // Without a swap limit of its own a container gets none beyond its memory: swap is a node's decision, not a default.
    private static OciMemory? MemoryOf(ContainerResources asked, HostFacts host, OciMemory start)
    {
        var swap = asked.MemorySwapLimit != 0 ? asked.MemorySwapLimit : asked.MemoryLimit;
        var memory = start with
        {
            Limit = asked.MemoryLimit != 0 ? asked.MemoryLimit : start.Limit,
            Swap = host.SwapLimits && swap != 0 ? swap : start.Swap,
        };
        return memory == new OciMemory() ? null : memory;
    }

    private static IReadOnlyList<OciHugepageLimit>? HugepagesOf(ContainerResources asked, HostFacts host)
    {
        if (asked.HugepageLimits.IsEmpty) return null;
        if (host.Hugetlb) return [.. asked.HugepageLimits.Select(limit => new OciHugepageLimit(limit.Key, limit.Value))];
        return !host.HugetlbRequired ? null : throw new FaultException(FaultKind.FailedPrecondition, "container.no-hugetlb",
            "Limits of huge pages are asked for, but this machine has no hugetlb cgroup controller.");
    }

    private static OciPids PidsOf(ContainerResources asked)
    {
        var unknown = asked.Unified.Keys.FirstOrDefault(key => key != UnifiedPidsMax);
        if (unknown is not null)
            throw Refuse("container.no-cgroup-v2", $"Unified resource \"{unknown}\" needs cgroup v2; this host has v1.");
        var value = asked.Unified[UnifiedPidsMax];
        if (value == "max") return new OciPids(-1);
        return long.TryParse(value, out var limit) && limit > 0
            ? new OciPids(limit)
            : throw Refuse("container.invalid-resources", $"{UnifiedPidsMax} must be a number above 0 or \"max\", not \"{value}\".");
    }

    /// <param name="parent">Of the sandbox: a path or a slice; empty for the default.</param>
    internal static string CgroupsPathOf(string parent, bool systemd, string space, string id)
    {
        if (systemd)
        {
            var slice = parent.Length > 0 ? Path.GetFileName(parent.TrimEnd('/')) : "system.slice";
            return $"{slice}:cri-containerd:{id}";
        }
        return Path.Combine("/", parent.Length > 0 ? parent : space, id);
    }
}
