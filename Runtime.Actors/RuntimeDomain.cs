using Akka.Actor;
using Runtime.Actors.ClientTasks;
using Runtime.Actors.Containers;
using Runtime.Actors.Entities;
using Runtime.Actors.Images;
using Runtime.Actors.Network;
using Runtime.Actors.Pulls;
using Runtime.Actors.Records;
using Runtime.Actors.Sandboxes;
using Runtime.Actors.Snapshots;
using Runtime.Actors.Statistics;

namespace Runtime.Actors;

/// <summary>The domain as the gRPC floors see it: where commands go, and what queries read.</summary>
/// <param name="Namespaces">Every <see cref="IEntityCommand"/> but those of snapshots.</param>
/// <param name="Snapshots">Every <see cref="ISnapshotCommand"/>.</param>
public sealed record RuntimeDomain(
    IActorRef Namespaces,
    IActorRef Snapshots,
    ReadModel<SandboxView> Sandboxes,
    ReadModel<ContainerView> Containers,
    ReadModel<ImageView> ImageNames,
    ReadModel<PullView> Pulls,
    ReadModel<SnapshotView> SnapshotViews,
    IImageCatalog Images,
    IImageArchives Archives,
    INetworkStatus Network,
    IPodCidrs PodCidrs,
    IStatistics Statistics,
    EntityChanges Changes)
{
    /// <summary>Containers of containerd's services; those of pods are <see cref="Containers"/>.</summary>
    public ReadModel<ContainerRecord> Records { get; init; } = new();

    /// <summary>Tasks of container records.</summary>
    public ReadModel<ClientTaskView> Tasks { get; init; } = new();
}
