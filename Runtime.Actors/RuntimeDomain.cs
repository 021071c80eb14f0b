using Akka.Actor;
using Runtime.Actors.Containers;
using Runtime.Actors.Content;
using Runtime.Actors.Entities;
using Runtime.Actors.Images;
using Runtime.Actors.Leases;
using Runtime.Actors.Namespaces;
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

    public ReadModel<LeaseView> Leases { get; init; } = new();

    /// <summary>Namespaces that were made by name; others are there while something is in them.</summary>
    public ReadModel<NamespaceView> NamespaceViews { get; init; } = new();

    /// <summary>Content as namespaces see it, and its collection; null where there is none to serve.</summary>
    public ContentDomain? Content { get; init; }
}

/// <summary>What containerd's services need of content and images beside commands and read models.</summary>
public sealed record ContentDomain(ContentCatalog Catalog, ContentSweep Sweep, ContentPins Pins, LeaseKeeper Leases, ImageInspector Inspector);
