using Runtime.Actors.Namespaces;
using Runtime.Faults;

namespace Runtime.Actors.Sandboxes;

/// <summary>The images that a pod's containers have as volumes, each mounted once for all of them.</summary>
public interface ISandboxVolumes
{
    /// <summary>Unmounts them, and lets their snapshots go. Can be repeated; done when there are none.</summary>
    /// <exception cref="FaultException">Something is left; the next call goes on with it.</exception>
    Task ReleaseAsync(NamespaceName space, string sandboxId, CancellationToken cancellation);
}
