using System.Collections.Immutable;
using Runtime.Actors;
using Runtime.Actors.Containers;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Sandboxes;
using Runtime.Cri.Mapping;
using Runtime.Cri.V1;

namespace Runtime.Cri;

/// <summary>
/// Makes CRI's events of what the domain has stored. What the pod looked like then is kept as a reference into the read
/// models, whose maps never change, so picking an event costs no copy.
/// </summary>
internal sealed class PodChanges(RuntimeDomain domain)
{
    public IEnumerable<PodChange> Of(EntityChange change)
    {
        if (change.Space != NamespaceName.Kubernetes) return [];
        return (change.After ?? change.Before) switch
        {
            ContainerView container => change.Events.SelectMany(stored => TypesOf(stored, change.Before as ContainerView))
                .Select(type => Make(change, type, container.SandboxId, domain.Sandboxes.Find(change.Space, container.SandboxId))),
            SandboxView sandbox => change.Events.SelectMany(stored => TypesOf(stored, change.Before as SandboxView))
                .Select(type => Make(change, type, sandbox.Id, sandbox)),
            _ => [],
        };
    }

    public ContainerEventResponse ToWire(PodChange change)
    {
        var response = new ContainerEventResponse
        {
            ContainerId = change.Id,
            ContainerEventType = change.Type,
            CreatedAt = WireTime.Nanoseconds(change.At),
        };
        if (change.Sandbox is not { } sandbox) return response;
        response.PodSandboxStatus = SandboxMapping.ToStatus(sandbox);
        response.ContainersStatuses.AddRange(StatusesOf(change.Containers, sandbox.Id));
        return response;
    }

    /// <summary>Of the containers that CRI shows of a sandbox.</summary>
    public IEnumerable<ContainerStatus> StatusesOf(ImmutableDictionary<string, ContainerView> containers, string sandboxId) =>
        from view in containers.Values
        where view.SandboxId == sandboxId && ContainerMapping.IsListed(view)
        select ContainerMapping.ToStatus(view, view.ImageId.Length > 0 ? domain.Images.Find(NamespaceName.Kubernetes, view.ImageId) : null);

    private PodChange Make(EntityChange change, ContainerEventType type, string sandboxId, SandboxView? sandbox) => new(
        change.EntityId, type, change.At, sandbox,
        type == ContainerEventType.ContainerDeletedEvent && change.EntityId == sandboxId ? [] : domain.Containers.In(change.Space));

    // One that could not be created was never announced, so its end is not either.
    private static IEnumerable<ContainerEventType> TypesOf(IDomainEvent stored, ContainerView? before) => stored switch
    {
        ContainerCreateCompleted => [ContainerEventType.ContainerCreatedEvent],
        ContainerStartCompleted => [ContainerEventType.ContainerStartedEvent],
        ContainerExited => [ContainerEventType.ContainerStoppedEvent],
        ContainerRemoveCompleted when before?.User is not null => [ContainerEventType.ContainerDeletedEvent],
        _ => [],
    };

    // A sandbox is there when it runs: nobody sees it before, and of one that never ran nobody hears. One that was lost has
    // stopped, and does not stop once more.
    private static IEnumerable<ContainerEventType> TypesOf(IDomainEvent stored, SandboxView? before) => stored switch
    {
        SandboxRunCompleted => [ContainerEventType.ContainerCreatedEvent, ContainerEventType.ContainerStartedEvent],
        SandboxLost => [ContainerEventType.ContainerStoppedEvent],
        SandboxStopCompleted when before is { Reason.Length: 0 } => [ContainerEventType.ContainerStoppedEvent],
        SandboxRemoveRequested when before is { Phase: SandboxPhase.Ready } => [ContainerEventType.ContainerStoppedEvent],
        SandboxRunFailed when before is { HasRun: true } => [ContainerEventType.ContainerStoppedEvent], // nobody came for it
        SandboxRemoveCompleted when before is { HasRun: true } => [ContainerEventType.ContainerDeletedEvent],
        _ => [],
    };
}

/// <summary>One event, and the pod as it was then.</summary>
/// <param name="Id">Of the container or the sandbox.</param>
/// <param name="Sandbox">Null where it is gone.</param>
/// <param name="Containers">Of all pods.</param>
internal sealed record PodChange(
    string Id, ContainerEventType Type, DateTimeOffset At, SandboxView? Sandbox, ImmutableDictionary<string, ContainerView> Containers);
