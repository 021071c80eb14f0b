using Containerd.Events;
using Containerd.Services.Images.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Runtime.Actors.Containers;
using Runtime.Actors.Content;
using Runtime.Actors.Entities;
using Runtime.Actors.Images;
using Runtime.Actors.Records;
using Runtime.Actors.Sandboxes;
using Runtime.Actors.Snapshots;
using Runtime.Api.Services;
using ImageCreated = Runtime.Actors.Images.ImageCreated;

namespace Runtime.Api.Events;

/// <summary>
/// What the journal holds, as containerd's events: topics and messages of its API. Events of tasks are not here, because shims publish
/// them. What containerd has no event for gives none.
/// </summary>
public sealed class DomainEvents(ContainerRecords records)
{
    /// <summary>The events of one change, in the order in which they were stored.</summary>
    public IEnumerable<(string Topic, IMessage Payload)> Of(EntityChange change) => change.Events.SelectMany(stored => Of(stored, change));

    private IEnumerable<(string Topic, IMessage Payload)> Of(IDomainEvent stored, EntityChange change) => stored switch
    {
        ContentWasAdded added => [("/content/create", new ContentCreate { Digest = added.Digest, Size = added.Size })],
        ContentWasRemoved removed => [("/content/delete", new ContentDelete { Digest = removed.Digest })],
        ImageCreated created => [("/images/create", new ImageCreate { Name = created.Name, Labels = { created.Labels } })],
        ImageUpdated updated => [("/images/update", new ImageUpdate { Name = updated.Name, Labels = { updated.Labels } })],
        ImageRemoved removed => [("/images/delete", new ImageDelete { Name = removed.Name })],
        SnapshotBecameReady or SnapshotHandedOver or SnapshotWasRemoved => OfSnapshot(stored, change),
        SandboxRunRequested or SandboxRunCompleted or SandboxLost or SandboxStopCompleted or SandboxRemoveCompleted =>
            OfSandbox(stored, change),
        ContainerCreateRequested when change.After is ContainerView view => [("/containers/create", Created(records.Of(view)))],
        ContainerRecordCreated created => [("/containers/create", Created(ContainerMessages.Of(created.Record)))],
        ContainerRecordUpdated when change.After is ContainerRecord record => [("/containers/update", new ContainerUpdate
        {
            Id = record.Id,
            Image = record.Image,
            Labels = { record.Labels },
            SnapshotKey = record.SnapshotKey,
        })],
        ContainerRecordDeleted or ContainerRemoveCompleted => [("/containers/delete", new ContainerDelete { Id = change.EntityId })],
        _ => [],
    };

    private static IEnumerable<(string Topic, IMessage Payload)> OfSnapshot(IDomainEvent stored, EntityChange change) =>
        (stored, change.After ?? change.Before) switch
        {
            (SnapshotBecameReady, SnapshotView { Kind: SnapshotKind.Active } view) =>
                [("/snapshot/prepare", new SnapshotPrepare { Key = view.Key, Parent = view.Parent, Snapshotter = view.Snapshotter })],
            (SnapshotHandedOver handed, SnapshotView view) =>
                [("/snapshot/commit", new SnapshotCommit { Key = view.Key, Name = handed.Name, Snapshotter = view.Snapshotter })],
            (SnapshotWasRemoved, SnapshotView view) =>
                [("/snapshot/remove", new SnapshotRemove { Key = view.Key, Snapshotter = view.Snapshotter })],
            _ => [], // a view, or one that never came into being
        };

    private IEnumerable<(string Topic, IMessage Payload)> OfSandbox(IDomainEvent stored, EntityChange change)
    {
        var id = change.EntityId;
        return stored switch
        {
            SandboxRunRequested when change.After is SandboxView view =>
                [("/containers/create", Created(records.Of(view))), ("/sandboxes/create", new SandboxCreate { SandboxId = id })],
            SandboxRunCompleted => [("/sandboxes/start", new SandboxStart { SandboxId = id })],
            SandboxLost lost => [("/sandboxes/exit", new SandboxExit { SandboxId = id, ExitedAt = Timestamp.FromDateTimeOffset(lost.At) })],
            SandboxStopCompleted stopped when change.Before is SandboxView { Phase: not SandboxPhase.NotReady } =>
                [("/sandboxes/exit", new SandboxExit { SandboxId = id, ExitedAt = Timestamp.FromDateTimeOffset(stopped.At) })],
            SandboxRemoveCompleted => [("/containers/delete", new ContainerDelete { Id = id })],
            _ => [],
        };
    }

    private static ContainerCreate Created(Containerd.Services.Containers.V1.Container record) => new()
    {
        Id = record.Id,
        Image = record.Image,
        Runtime = new ContainerCreate.Types.Runtime { Name = record.Runtime.Name, Options = record.Runtime.Options },
    };
}
