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

    /// <summary>Pause before a removal that failed is tried again by itself.</summary>
    public TimeSpan RetryPause { get; init; } = TimeSpan.FromSeconds(10);
}
