using Akka.Actor;
using Runtime.Actors.ClientTasks;
using Runtime.Actors.Containers;
using Runtime.Actors.Content;
using Runtime.Actors.Diffs;
using Runtime.Actors.Entities;
using Runtime.Actors.Images;
using Runtime.Actors.Leases;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Network;
using Runtime.Actors.Pulls;
using Runtime.Actors.Records;
using Runtime.Actors.SandboxRecords;
using Runtime.Actors.Sandboxes;
using Runtime.Actors.Shims;
using Runtime.Actors.Snapshots;
using Runtime.Actors.Statistics;
using Runtime.Actors.Transfers;

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

    /// <summary>Sandboxes that clients of containerd's services describe; pods are <see cref="Sandboxes"/>.</summary>
    public ReadModel<SandboxRecord> SandboxRecords { get; init; } = new();

    /// <summary>The snapshotters of this node.</summary>
    public SnapshotDrivers Snapshotters { get; init; } = new([]);

    /// <summary>Null: layers cannot be packed and unpacked by clients.</summary>
    public ILayerDiffer? Differ { get; init; }

    /// <summary>Null: clients move images themselves.</summary>
    public IImageTransfers? Transfers { get; init; }

    /// <summary>Null: shims are not asked about themselves.</summary>
    public IShimInfo? ShimInfo { get; init; }

    /// <summary>Tasks of container records.</summary>
    public ReadModel<ClientTaskView> Tasks { get; init; } = new();
}

/// <summary>What containerd's services need of content and images beside commands and read models.</summary>
public sealed record ContentDomain(ContentCatalog Catalog, ContentSweep Sweep, ContentPins Pins, LeaseKeeper Leases, ImageInspector Inspector);
