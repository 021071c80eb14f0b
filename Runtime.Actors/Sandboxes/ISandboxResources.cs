using Runtime.Faults;

namespace Runtime.Actors.Sandboxes;

/// <summary>
/// What a sandbox has on this machine besides its network and its shim. Calls block, can be repeated, and go on where an
/// earlier one was interrupted.
/// </summary>
/// <exception cref="FaultException">With the path and the system call.</exception>
public interface ISandboxResources
{
    /// <summary>Makes and pins its namespaces, with loopback up, sysctls and host name set.</summary>
    void Pin(SandboxPlan plan);

    /// <summary>Its directory (hostname, hosts, resolv.conf, shm), the leaf in every cgroup hierarchy, the bundle.</summary>
    void Prepare(SandboxPlan plan);

    /// <summary>Whether the network namespace is pinned.</summary>
    bool HasNetwork(SandboxPlan plan);

    /// <summary>What a ready sandbox should have and does not, in words; empty when all is there.</summary>
    string Missing(SandboxPlan plan);

    /// <summary>Lets go of the namespaces.</summary>
    void Unpin(SandboxPlan plan);

    /// <summary>Deletes what <see cref="Prepare"/> made; kills processes that are left in the cgroup.</summary>
    Task DeleteAsync(SandboxPlan plan, CancellationToken cancellation);
}
