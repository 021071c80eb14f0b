using System.Collections.Immutable;
using Runtime.Actors.Content;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;

namespace Runtime.Actors.Leases;

/// <summary>Every command about a lease. Failures answer <see cref="Rejected"/>.</summary>
public interface ILeaseCommand : IEntityCommand;

/// <summary>A new lease; answers <see cref="LeaseView"/>, AlreadyExists for an id in use.</summary>
public sealed record CreateLease(NamespaceName Space, string EntityId, ImmutableSortedDictionary<string, string> Labels) : ILeaseCommand;

/// <summary>Ends a lease; answers <see cref="LeaseDeleted"/>, NotFound for an unknown one. What it held stays until a collection.</summary>
public sealed record DeleteLease(NamespaceName Space, string EntityId) : ILeaseCommand;

public sealed record LeaseDeleted(string Id);

/// <summary>Puts objects under a lease, whether they are there or not; answers <see cref="LeaseView"/>.</summary>
public sealed record AddLeaseResources(NamespaceName Space, string EntityId, ImmutableArray<LeaseResource> Resources) : ILeaseCommand;

/// <summary>Takes objects out of a lease; answers <see cref="LeaseView"/>. Those that it does not hold do not count.</summary>
public sealed record RemoveLeaseResources(NamespaceName Space, string EntityId, ImmutableArray<LeaseResource> Resources) : ILeaseCommand;

/// <summary>One object that a lease holds, in containerd's words.</summary>
/// <param name="Type"><c>content</c>, <c>ingests</c>, <c>images</c> or <c>snapshots/SNAPSHOTTER</c>.</param>
/// <param name="Id">A digest, the ref of an ingest, an image's name, a snapshot's key.</param>
public sealed record LeaseResource(string Type, string Id)
{
    public const string ContentType = "content";
    public const string IngestType = "ingests";
    public const string ImageType = "images";
    public const string SnapshotTypePrefix = "snapshots/";

    public static LeaseResource Content(string digest) => new(ContentType, digest);

    public static LeaseResource Ingest(string reference) => new(IngestType, reference);

    public static LeaseResource Snapshot(string snapshotter, string key) => new(SnapshotTypePrefix + snapshotter, key);

    /// <summary>The snapshot's id in the read model; null when it is no snapshot.</summary>
    public string? SnapshotId => Type.StartsWith(SnapshotTypePrefix, StringComparison.Ordinal)
        ? Snapshots.SnapshotId.Of(Type[SnapshotTypePrefix.Length..], Id)
        : null;
}

/// <summary>What lists and collections see of a lease.</summary>
public sealed record LeaseView(
    string Id, ImmutableSortedDictionary<string, string> Labels, DateTimeOffset CreatedAt, ImmutableHashSet<LeaseResource> Resources)
{
    /// <summary>When it stops to hold anything; null for never.</summary>
    public DateTimeOffset? ExpiresAt => GcLabels.ExpiryOf(Labels);

    /// <summary>It holds its objects, and not what those refer to.</summary>
    public bool IsFlat => Labels.ContainsKey(GcLabels.Flat);
}
