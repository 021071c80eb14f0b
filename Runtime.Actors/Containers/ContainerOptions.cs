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

    /// <summary>From <see cref="HostProbe"/>.</summary>
    public required HostFacts Host { get; init; }

    public TaskOptions Tasks { get; init; } = new();

    /// <summary>The profile of a container that names none. <c>unset_seccomp_profile</c>; null: unconfined.</summary>
    public SecurityProfile? UnsetSeccomp { get; init; }

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
