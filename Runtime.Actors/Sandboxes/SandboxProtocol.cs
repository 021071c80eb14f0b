using Runtime.Actors.Containers;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;

namespace Runtime.Actors.Sandboxes;

/// <summary>Every command about a sandbox. Failures answer <see cref="Rejected"/>.</summary>
public interface ISandboxCommand : IEntityCommand;

/// <summary>
/// Creates and starts a sandbox; answers <see cref="SandboxStarted"/> once its addresses are known.
/// </summary>
/// <remarks>
/// Joinable: a request with the same pod name, pod namespace, uid and attempt attaches to the operation in flight, or gets
/// the sandbox that an earlier request made and nobody was there to take. The sandbox manager resolves that key, so
/// <paramref name="EntityId"/> is only the id that a new sandbox would get: 64 hex digits, made at the edge.
/// </remarks>
public sealed record RunSandbox(NamespaceName Space, string EntityId, SandboxConfig Config) : ISandboxCommand
{
    /// <summary>
    /// Cancelled when the caller has gone. A sandbox that is started when all its callers have gone stays hidden (phase
    /// Creating) and waits for the retry, for a bounded time.
    /// </summary>
    public CancellationToken Caller { get; init; }

    /// <summary>The SELinux level that a new sandbox gets; empty without SELinux. Set by the sandbox manager, who knows all others'.</summary>
    public string SelinuxLevel { get; init; } = "";
}

public sealed record SandboxStarted(string SandboxId);

/// <summary>
/// Records what a pod may use as a whole now; answers <see cref="SandboxUpdated"/>. The kubelet has written the pod's cgroup
/// itself: here nothing is enforced.
/// </summary>
/// <param name="Overhead">Of the sandbox; null: unknown.</param>
/// <param name="Resources">Of its containers together; null: unknown.</param>
public sealed record UpdateSandbox(
    NamespaceName Space, string EntityId, ContainerResources? Overhead, ContainerResources? Resources) : ISandboxCommand;

public sealed record SandboxUpdated(string SandboxId);

/// <summary>Stops containers, network and namespaces. Answers <see cref="SandboxStopped"/>, also for an unknown id.</summary>
public sealed record StopSandbox(NamespaceName Space, string EntityId) : ISandboxCommand;

public sealed record SandboxStopped(string SandboxId);

/// <summary>Stops by force if needed, removes its containers and itself. Answers <see cref="SandboxRemoved"/>, also for an unknown id.</summary>
public sealed record RemoveSandbox(NamespaceName Space, string EntityId) : ISandboxCommand;

public sealed record SandboxRemoved(string SandboxId);
