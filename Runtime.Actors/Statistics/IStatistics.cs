using Runtime.Actors.Containers;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Sandboxes;

namespace Runtime.Actors.Statistics;

/// <summary>
/// What containers and pods use. Asking costs little, however often it is done: a cgroup that was read less than
/// <see cref="StatisticsOptions.ReadingRest"/> ago is not read again, and no layer that has been walked is walked.
/// </summary>
public interface IStatistics
{
    /// <summary>Null for a container that was never started, and for one that runs but has no cgroup any more.</summary>
    ContainerUsage? Find(NamespaceName space, ContainerView container);

    /// <summary>Null for a sandbox that is not ready.</summary>
    PodUsage? Find(NamespaceName space, SandboxView sandbox);
}
