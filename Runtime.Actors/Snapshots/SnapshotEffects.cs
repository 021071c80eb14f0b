using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;

namespace Runtime.Actors.Snapshots;

/// <summary>Makes the snapshot's directory, unless it is there.</summary>
/// <param name="Chain">Numbers of the parent, its parent and so on.</param>
public sealed record MakeSnapshotDirectory(string Snapshotter, SnapshotKind Kind, long Number, ImmutableArray<long> Chain) : IEffect;

/// <summary>Asks the committed name's entity to take the directory; answers <see cref="SnapshotCommitted"/>.</summary>
public sealed record AdoptSnapshot(
    NamespaceName Space, string EntityId, string Snapshotter, string Key, string Parent, long Number,
    ImmutableSortedDictionary<string, string> Labels) : IEffect, IEntityCommand;

/// <summary>Undoes what a pull or import was unpacking into when the daemon died.</summary>
public sealed record AbandonUnpacking : IEffect;

/// <summary>Removes the directory some time later. The last thing that a snapshot asks for.</summary>
public sealed record DiscardSnapshotDirectory(string Snapshotter, long Number) : IEffect;

/// <summary>A command on its way from the manager to the entity, with what the manager found out.</summary>
/// <param name="Number">For a new snapshot, its directory.</param>
/// <param name="Chain">Numbers of the parent, its parent and so on.</param>
internal sealed record SnapshotRequest(
    NamespaceName Space, string EntityId, ISnapshotCommand Command, long Number, ImmutableArray<long> Chain) : IEntityCommand;

/// <summary>Entity to manager: a new snapshot can be mounted. The manager knows how.</summary>
internal sealed record SnapshotReady;
