using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Linux.Mounts;

namespace Runtime.Actors.Snapshots;

/// <summary>Every command about a snapshot. Failures answer <see cref="Rejected"/>.</summary>
/// <remarks>Told to the snapshot manager, not to the namespaces: keys carry their namespace.</remarks>
public interface ISnapshotCommand : IEntityCommand
{
    /// <summary><c>overlayfs</c> or <c>native</c>.</summary>
    string Snapshotter { get; }
}

/// <summary>
/// Makes an active (writable) snapshot; answers <see cref="SnapshotMounts"/>. AlreadyExists for a key in use, and when the committed
/// snapshot that it is to become (label <see cref="SnapshotRef.Label"/>) is there already.
/// </summary>
/// <param name="EntityId">The key.</param>
/// <param name="Parent">Name of a committed snapshot; empty for none.</param>
public sealed record PrepareSnapshot(
    NamespaceName Space, string EntityId, string Snapshotter, string Parent, ImmutableSortedDictionary<string, string> Labels)
    : ISnapshotCommand;

/// <summary>Makes a read-only view of a committed snapshot; answers <see cref="SnapshotMounts"/>.</summary>
public sealed record ViewSnapshot(
    NamespaceName Space, string EntityId, string Snapshotter, string Parent, ImmutableSortedDictionary<string, string> Labels)
    : ISnapshotCommand;

/// <summary>The mounts of an active snapshot or a view; answers <see cref="SnapshotMounts"/>.</summary>
public sealed record GetSnapshotMounts(NamespaceName Space, string EntityId, string Snapshotter) : ISnapshotCommand;

public sealed record SnapshotMounts(string Key, ImmutableArray<MountSpec> Mounts);

/// <summary>
/// Makes the active snapshot <paramref name="EntityId"/> a committed one called <paramref name="Name"/>; answers
/// <see cref="SnapshotCommitted"/>. AlreadyExists for a name in use: the active one stays as it is.
/// </summary>
public sealed record CommitSnapshot(
    NamespaceName Space, string EntityId, string Snapshotter, string Name, ImmutableSortedDictionary<string, string> Labels)
    : ISnapshotCommand
{
    /// <summary>
    /// Stacks a snapshot that was prepared without a parent on this one (containerd's <c>rebase</c>); empty: leaves it as it is.
    /// FailedPrecondition where it has a parent, or the snapshotter cannot stack what was written apart.
    /// </summary>
    public string Parent { get; init; } = "";
}

/// <summary>Answer to <see cref="CommitSnapshot"/>.</summary>
public sealed record SnapshotCommitted(string Name);

/// <summary>Removes a snapshot; FailedPrecondition while others build on it. Answers <see cref="SnapshotRemoved"/>; NotFound for an unknown one.</summary>
public sealed record RemoveSnapshot(NamespaceName Space, string EntityId, string Snapshotter) : ISnapshotCommand;

public sealed record SnapshotRemoved(string Key);

/// <summary>
/// Removes directories that removed snapshots left, at once and once more where it failed before; answers
/// <see cref="SnapshotsCleaned"/> when that is done.
/// </summary>
public sealed record CleanSnapshots(NamespaceName Space, string Snapshotter) : ISnapshotCommand
{
    public string EntityId => "";
}

public sealed record SnapshotsCleaned;

/// <summary>Disk usage of what the snapshot itself adds; answers <see cref="SnapshotUsage"/>.</summary>
public sealed record GetSnapshotUsage(NamespaceName Space, string EntityId, string Snapshotter) : ISnapshotCommand;

/// <param name="Bytes">Allocated on disk.</param>
public sealed record SnapshotUsage(string Key, long Bytes, long Inodes);

/// <summary>Values are containerd's snapshots.Kind.</summary>
public enum SnapshotKind
{
    Unknown = 0,
    View = 1,
    Active = 2,
    Committed = 3,
}

/// <summary>Replaces labels; answers <see cref="SnapshotView"/>.</summary>
/// <param name="Names">Which labels: those that <paramref name="Labels"/> does not give are taken away. Default: all.</param>
public sealed record SetSnapshotLabels(
    NamespaceName Space, string EntityId, string Snapshotter, ImmutableSortedDictionary<string, string> Labels,
    ImmutableArray<string> Names)
    : ISnapshotCommand;

/// <summary>What lists and stat see of a snapshot. The read model's id is <see cref="SnapshotId"/>.</summary>
public sealed record SnapshotView(
    string Key, string Snapshotter, string Parent, SnapshotKind Kind, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt,
    ImmutableSortedDictionary<string, string> Labels)
{
    /// <summary>Number of its directory, unique within the snapshotter.</summary>
    public long Number { get; init; }
}

/// <summary>containerd's label on a snapshot that is being prepared: the name that it will be committed under.</summary>
public static class SnapshotRef
{
    public const string Label = "containerd.io/snapshot.ref";
}

/// <summary>A snapshot's id within its namespace: <c>snapshotter|key</c>.</summary>
public static class SnapshotId
{
    public static string Of(string snapshotter, string key) => $"{snapshotter}|{key}";
}
