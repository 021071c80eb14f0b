using System.Collections.Immutable;
using Runtime.Faults;
using Runtime.Linux.Mounts;

namespace Runtime.Actors.Sandboxes;

/// <summary>What a pod's pause container is made of, where the configuration asks for one. Calls can be repeated.</summary>
public interface IPauseContainers
{
    /// <summary>
    /// Finds the image, or pulls it without credentials; prepares its root file system, and writes its spec into the bundle,
    /// which exists. Answers the mounts of the root file system.
    /// </summary>
    /// <exception cref="FaultException">The pull's; InvalidArgument: the image cannot be run.</exception>
    Task<ImmutableArray<MountSpec>> PrepareAsync(SandboxPlan plan, CancellationToken cancellation);

    /// <summary>Gives the root file system back; done when there is none.</summary>
    Task ReleaseAsync(SandboxPlan plan, CancellationToken cancellation);
}
