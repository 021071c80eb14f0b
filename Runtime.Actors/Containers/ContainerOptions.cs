using System.Collections.Immutable;
using Runtime.Actors.Ports;
using Runtime.Actors.Sandboxes;
using Runtime.Actors.Shims;
using Runtime.Actors.Tasks;

namespace Runtime.Actors.Containers;

/// <summary>What containers need to know of the node and its configuration.</summary>
public sealed record ContainerOptions
{
    public required DirectoryLayout Directories { get; init; }

    public required RuntimeHandlers Handlers { get; init; }

    /// <summary>What the handlers' OCI runtimes can do.</summary>
    public IHandlerFeatures Features { get; init; } = HandlerFeatures.Unknown;

    /// <summary>From <see cref="HostProbe"/>.</summary>
    public required HostFacts Host { get; init; }

    public TaskOptions Tasks { get; init; } = new();

    /// <summary>The profile of a container that names none. <c>unset_seccomp_profile</c>; null: unconfined.</summary>
    public SecurityProfile? UnsetSeccomp { get; init; }

    public ContainerPolicy Policy { get; init; } = new();

    /// <summary><c>cdi_spec_dirs</c>; empty where <c>enable_cdi</c> is false.</summary>
    public ImmutableArray<string> CdiSpecDirs { get; init; } = ["/etc/cdi", "/var/run/cdi"];

    /// <summary><c>ignore_image_defined_volumes</c>.</summary>
    public bool IgnoreImageVolumes { get; init; }

    /// <summary>
    /// Requests do not say what of /proc is masked and read-only, as kubelets before 1.12 did not: the usual paths are.
    /// <c>disable_proc_mount</c>.
    /// </summary>
    public bool UsualProcPaths { get; init; }

    /// <summary>Devices belong to the user and group that the request names. <c>device_ownership_from_security_context</c>.</summary>
    public bool DevicesOfUser { get; init; }

    /// <summary>Pause before a removal that failed is tried again by itself.</summary>
    public TimeSpan RetryPause { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The security of a request with what the node's configuration says about the rest.</summary>
    internal SecurityOptions Complete(SecurityOptions asked) => asked with
    {
        Seccomp = asked.Seccomp ?? UnsetSeccomp,
        MaskedPaths = UsualProcPaths ? ProcPaths.Masked : asked.MaskedPaths,
        ReadonlyPaths = UsualProcPaths ? ProcPaths.Readonly : asked.ReadonlyPaths,
    };
}
