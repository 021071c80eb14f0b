using System.Collections.Immutable;
using Runtime.Actors.Containers;

namespace Runtime.Actors.Sandboxes;

/// <summary>A pod sandbox as the caller asked for it: CRI's PodSandboxConfig in the domain's words.</summary>
public sealed record SandboxConfig
{
    /// <summary>The pod's name.</summary>
    public required string Name { get; init; }

    public required string Uid { get; init; }

    /// <summary>The Kubernetes namespace of the pod, not containerd's.</summary>
    public required string PodNamespace { get; init; }

    /// <summary>How often the pod was tried before; part of the reserved name.</summary>
    public uint Attempt { get; init; }

    /// <summary>Empty: the host's name, and no UTS rename.</summary>
    public string Hostname { get; init; } = "";

    /// <summary>Host directory of the containers' logs; empty when they are not kept.</summary>
    public string LogDirectory { get; init; } = "";

    /// <summary>Null: a copy of the host's resolv.conf.</summary>
    public DnsConfig? Dns { get; init; }

    public ImmutableArray<PortMapping> PortMappings { get; init; } = [];

    public ImmutableSortedDictionary<string, string> Labels { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public ImmutableSortedDictionary<string, string> Annotations { get; init; } =
        ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Absolute cgroup path of the pod, or a systemd slice; empty for the runtime's default.</summary>
    public string CgroupParent { get; init; } = "";

    public ImmutableSortedDictionary<string, string> Sysctls { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>What the sandbox itself takes, beside its containers; null where the caller does not say.</summary>
    public ContainerResources? Overhead { get; init; }

    /// <summary>What its containers may use together; null where the caller does not say.</summary>
    public ContainerResources? Resources { get; init; }

    public SecurityOptions Security { get; init; } = new();

    /// <summary>Handler of the runtime class; empty for the default.</summary>
    public string RuntimeHandler { get; init; } = "";
}

/// <summary>What goes into resolv.conf.</summary>
public sealed record DnsConfig(
    ImmutableArray<string> Servers, ImmutableArray<string> Searches, ImmutableArray<string> Options);

public enum PortProtocol
{
    Tcp,
    Udp,
    Sctp,
}

/// <param name="HostPort">0: not mapped on the host.</param>
/// <param name="HostIp">Empty: every address of the host.</param>
public sealed record PortMapping(PortProtocol Protocol, int ContainerPort, int HostPort, string HostIp);

/// <summary>Who shares a namespace. Values and order are CRI's NamespaceMode.</summary>
public enum NamespaceMode
{
    Pod,
    Container,
    Node,
    Target,
}

public enum SupplementalGroupsPolicy
{
    Merge,
    Strict,
}

public enum SecurityProfileKind
{
    RuntimeDefault,
    Unconfined,
    Localhost,
}

/// <param name="LocalhostRef">Name or path of the profile where the kind is Localhost.</param>
public sealed record SecurityProfile(SecurityProfileKind Kind, string LocalhostRef);

public sealed record SelinuxOptions(string User, string Role, string Type, string Level);

public sealed record IdMapping(uint HostId, uint ContainerId, uint Length);

/// <summary>Security of a sandbox or a container; fields that only one of them has say so.</summary>
public sealed record SecurityOptions
{
    public NamespaceMode Network { get; init; }

    public NamespaceMode Pid { get; init; }

    public NamespaceMode Ipc { get; init; }

    /// <summary>Container whose pid namespace is joined where <see cref="Pid"/> is Target.</summary>
    public string TargetId { get; init; } = "";

    /// <summary>Node (none) or Pod; null where the caller said nothing.</summary>
    public NamespaceMode? User { get; init; }

    public ImmutableArray<IdMapping> UidMappings { get; init; } = [];

    public ImmutableArray<IdMapping> GidMappings { get; init; } = [];

    public SelinuxOptions? Selinux { get; init; }

    public long? RunAsUser { get; init; }

    public long? RunAsGroup { get; init; }

    /// <summary>Containers only: a name of the image's passwd file.</summary>
    public string RunAsUserName { get; init; } = "";

    public ImmutableArray<long> SupplementalGroups { get; init; } = [];

    public SupplementalGroupsPolicy GroupsPolicy { get; init; }

    public bool Privileged { get; init; }

    public bool ReadonlyRootfs { get; init; }

    /// <summary>Null: no profile was named, which is unconfined unless the configuration says otherwise.</summary>
    public SecurityProfile? Seccomp { get; init; }

    public SecurityProfile? Apparmor { get; init; }

    /// <summary>Containers only.</summary>
    public bool NoNewPrivileges { get; init; }

    /// <summary>Containers only. Names with or without CAP_, or ALL.</summary>
    public ImmutableArray<string> CapabilitiesAdd { get; init; } = [];

    public ImmutableArray<string> CapabilitiesDrop { get; init; } = [];

    public ImmutableArray<string> CapabilitiesAmbient { get; init; } = [];

    /// <summary>Containers only; exactly what is masked, none when empty.</summary>
    public ImmutableArray<string> MaskedPaths { get; init; } = [];

    public ImmutableArray<string> ReadonlyPaths { get; init; } = [];
}
