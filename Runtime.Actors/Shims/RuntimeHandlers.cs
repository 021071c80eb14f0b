using System.Collections.Immutable;
using Runtime.Faults;

namespace Runtime.Actors.Shims;

/// <summary>One runtime of the configuration: <c>runtimes.NAME</c> in the CRI tables.</summary>
public sealed record RuntimeHandler
{
    public required string Name { get; init; }

    /// <summary><c>io.containerd.runc.v2</c> and the like.</summary>
    public string RuntimeType { get; init; } = "io.containerd.runc.v2";

    /// <summary>Absolute path of the shim; empty: resolved from the type.</summary>
    public string RuntimePath { get; init; } = "";

    public RuncOptions Options { get; init; } = new();

    /// <summary>Null where the options are of a shim that we do not know.</summary>
    public bool? SystemdCgroup => ShimBinaries.IsNativeType(RuntimeType) ? Options.SystemdCgroup : null;

    /// <summary>Globs of pod annotations that reach the OCI spec.</summary>
    public ImmutableArray<string> PodAnnotations { get; init; } = [];

    public ImmutableArray<string> ContainerAnnotations { get; init; } = [];

    public bool PrivilegedWithoutHostDevices { get; init; }

    /// <summary>With the above: a privileged container gets no nodes, but may make and use any.</summary>
    public bool PrivilegedWithAllDevicesAllowed { get; init; }

    /// <summary>Containers may write below /sys/fs/cgroup, also those that are not privileged.</summary>
    public bool CgroupWritable { get; init; }

    /// <summary>JSON file that the OCI spec starts from; empty for none.</summary>
    public string BaseRuntimeSpec { get; init; } = "";

    /// <summary>Empty: the one of the CRI tables.</summary>
    public string Snapshotter { get; init; } = "";

    /// <summary>Empty: the node's.</summary>
    public string CniConfDir { get; init; } = "";
}

/// <summary>Every runtime of the configuration.</summary>
public sealed record RuntimeHandlers(string DefaultName, ImmutableSortedDictionary<string, RuntimeHandler> ByName)
{
    /// <summary>
    /// The cgroup driver, systemd or not, of the node: what the default handler says, else the first other by name that says
    /// it. Where none does it is cgroupfs, whatever runs as init: only what was configured is told to the kubelet.
    /// </summary>
    public bool SystemdCgroup =>
        ByName.Values.OrderByDescending(handler => handler.Name == DefaultName).FirstOrDefault(handler => handler.SystemdCgroup is not null)
            ?.SystemdCgroup ?? false;

    /// <summary>The handler of that name; empty for the default.</summary>
    /// <exception cref="FaultException">InvalidArgument, naming the handler.</exception>
    public RuntimeHandler Resolve(string name) =>
        ByName.TryGetValue(name.Length == 0 ? DefaultName : name, out var handler)
            ? handler
            : throw new FaultException(FaultKind.InvalidArgument, "runtime.unknown-handler",
                $"No runtime for handler \"{name}\" is configured; there are {string.Join(", ", ByName.Keys)}.");
}
