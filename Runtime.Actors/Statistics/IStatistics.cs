using Runtime.Actors.Containers;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Sandboxes;

namespace Runtime.Actors.Statistics;

/// <summary>
/// What containers and pods use, as it was read last. Asking costs nothing, however often it is done: only what has not
/// been read yet is read then.
/// </summary>
public interface IStatistics
{
    /// <summary>Null for a container that was never started, and for one that runs but has no cgroup any more.</summary>
    ContainerUsage? Find(NamespaceName space, ContainerView container);

    /// <summary>Null for a sandbox that is not ready.</summary>
    PodUsage? Find(NamespaceName space, SandboxView sandbox);
}
