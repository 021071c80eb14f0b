using System.Collections.Immutable;
using Runtime.Actors.Sandboxes;

namespace Runtime.Actors.Containers;

/// <summary>A container as the caller asked for it: CRI's ContainerConfig in the domain's words.</summary>
public sealed record ContainerConfig
{
    public required string Name { get; init; }

    public uint Attempt { get; init; }

    /// <summary>Image id, tag or digest, as it came.</summary>
    public required string Image { get; init; }

    /// <summary>What the user wrote, for status; empty where the caller did not say.</summary>
    public string UserSpecifiedImage { get; init; } = "";

    /// <summary>Replaces entrypoint and command of the image.</summary>
    public ImmutableArray<string> Command { get; init; } = [];

    /// <summary>Replaces only the image's command.</summary>
    public ImmutableArray<string> Args { get; init; } = [];

    public string WorkingDirectory { get; init; } = "";

    /// <summary>Overrides the image's by key; order kept.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Environment { get; init; } = [];

    public ImmutableArray<ContainerMount> Mounts { get; init; } = [];

    public ImmutableArray<ContainerDevice> Devices { get; init; } = [];

    public ImmutableArray<string> CdiDevices { get; init; } = [];

    public ImmutableSortedDictionary<string, string> Labels { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public ImmutableSortedDictionary<string, string> Annotations { get; init; } =
        ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Relative to the sandbox's log directory; empty for no log.</summary>
    public string LogPath { get; init; } = "";

    public bool Stdin { get; init; }

    public bool StdinOnce { get; init; }

    public bool Tty { get; init; }

    public ContainerResources? Resources { get; init; }

    public SecurityOptions Security { get; init; } = new();

    /// <summary>Name or number; empty for the image's, else SIGTERM.</summary>
    public string StopSignal { get; init; } = "";
}

/// <summary>Values and order are CRI's MountPropagation.</summary>
public enum MountPropagation
{
    Private,
    HostToContainer,
    Bidirectional,
}

public sealed record ContainerMount
{
    public required string ContainerPath { get; init; }

    public string HostPath { get; init; } = "";

    public bool Readonly { get; init; }

    public bool RecursiveReadonly { get; init; }

    public bool SelinuxRelabel { get; init; }

    public MountPropagation Propagation { get; init; }

    public ImmutableArray<IdMapping> UidMappings { get; init; } = [];

    public ImmutableArray<IdMapping> GidMappings { get; init; } = [];

    /// <summary>An image as the source; empty for a host path.</summary>
    public string Image { get; init; } = "";

    public string ImageSubPath { get; init; } = "";
}

/// <param name="Permissions">Of <c>r</c>, <c>w</c>, <c>m</c>.</param>
public sealed record ContainerDevice(string ContainerPath, string HostPath, string Permissions);

/// <summary>CRI's LinuxContainerResources. 0 means not set, as in CRI.</summary>
public sealed record ContainerResources
{
    /// <summary>Microseconds.</summary>
    public long CpuPeriod { get; init; }

    /// <summary>Microseconds of CPU time per period.</summary>
    public long CpuQuota { get; init; }

    public long CpuShares { get; init; }

    /// <summary>Bytes.</summary>
    public long MemoryLimit { get; init; }

    /// <summary>Bytes of memory and swap together.</summary>
    public long MemorySwapLimit { get; init; }

    public long OomScoreAdjust { get; init; }

    public string CpusetCpus { get; init; } = "";

    public string CpusetMems { get; init; } = "";

    /// <summary>Bytes by page size, <c>2MB</c> or <c>1GB</c>.</summary>
    public ImmutableSortedDictionary<string, ulong> HugepageLimits { get; init; } =
        ImmutableSortedDictionary<string, ulong>.Empty;

    /// <summary>cgroup v2 files and their values.</summary>
    public ImmutableSortedDictionary<string, string> Unified { get; init; } =
        ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>These, with what <paramref name="update"/> sets.</summary>
    public ContainerResources With(ContainerResources update) => this with
    {
        CpuPeriod = update.CpuPeriod != 0 ? update.CpuPeriod : CpuPeriod,
        CpuQuota = update.CpuQuota != 0 ? update.CpuQuota : CpuQuota,
        CpuShares = update.CpuShares != 0 ? update.CpuShares : CpuShares,
        MemoryLimit = update.MemoryLimit != 0 ? update.MemoryLimit : MemoryLimit,
        // Memory and swap together are never less than the memory alone.
        MemorySwapLimit = update.MemorySwapLimit != 0 ? update.MemorySwapLimit
            : update.MemoryLimit != 0 && MemorySwapLimit != 0 ? update.MemoryLimit : MemorySwapLimit,
        CpusetCpus = update.CpusetCpus.Length > 0 ? update.CpusetCpus : CpusetCpus,
        CpusetMems = update.CpusetMems.Length > 0 ? update.CpusetMems : CpusetMems,
        HugepageLimits = update.HugepageLimits.Count > 0 ? update.HugepageLimits : HugepageLimits,
        Unified = update.Unified.Count > 0 ? update.Unified : Unified,
    };
}
