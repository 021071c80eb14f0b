using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Runtime.Actors.Entities;
using Runtime.Actors.Journal;

namespace Runtime.Actors.Snapshots;

/// <summary>The key and the directory's number are taken; the directory is being made.</summary>
/// <param name="Kind">Active or View.</param>
/// <param name="Parent">Name of a committed snapshot; empty for none.</param>
/// <param name="Number">Of its directory.</param>
/// <param name="Chain">Numbers of the parent, its parent and so on.</param>
public sealed record SnapshotPrepared(
    string Snapshotter, string Key, SnapshotKind Kind, string Parent, long Number, ImmutableArray<long> Chain,
    ImmutableSortedDictionary<string, string> Labels, DateTimeOffset At) : IDomainEvent;

/// <summary>The directory is there.</summary>
public sealed record SnapshotBecameReady(DateTimeOffset At) : IDomainEvent;

/// <summary>The directory is to become that of the committed snapshot <paramref name="Name"/>.</summary>
public sealed record SnapshotCommitRequested(
    string Name, string Parent, ImmutableSortedDictionary<string, string> Labels, DateTimeOffset At) : IDomainEvent;

/// <summary>The name was taken: the snapshot is active as before.</summary>
public sealed record SnapshotCommitRefused(DateTimeOffset At) : IDomainEvent;

/// <summary>The key is gone, and its directory belongs to the committed snapshot.</summary>
public sealed record SnapshotHandedOver(string Name, DateTimeOffset At) : IDomainEvent;

/// <summary>A committed snapshot came into being with the directory of what was active.</summary>
public sealed record SnapshotWasCommitted(
    string Snapshotter, string Key, string Parent, long Number, ImmutableSortedDictionary<string, string> Labels,
    DateTimeOffset At) : IDomainEvent;

public sealed record SnapshotLabelsChanged(ImmutableSortedDictionary<string, string> Labels, DateTimeOffset At) : IDomainEvent;

/// <summary>The snapshot is gone; its directory goes in the background.</summary>
/// <param name="Reason">Empty, or why it could not be made.</param>
public sealed record SnapshotWasRemoved(string Reason, DateTimeOffset At) : IDomainEvent;

[JsonSerializable(typeof(SnapshotPrepared))]
[JsonSerializable(typeof(SnapshotBecameReady))]
[JsonSerializable(typeof(SnapshotCommitRequested))]
[JsonSerializable(typeof(SnapshotCommitRefused))]
[JsonSerializable(typeof(SnapshotHandedOver))]
[JsonSerializable(typeof(SnapshotWasCommitted))]
[JsonSerializable(typeof(SnapshotLabelsChanged))]
[JsonSerializable(typeof(SnapshotWasRemoved))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
internal sealed partial class SnapshotJson : JsonSerializerContext;

public static class SnapshotJournal
{
    public static readonly ImmutableArray<JournalType> Types =
    [
        JournalType.Of("snapshot.prepared.v1", SnapshotJson.Default.SnapshotPrepared),
        JournalType.Of("snapshot.ready.v1", SnapshotJson.Default.SnapshotBecameReady),
        JournalType.Of("snapshot.commit-requested.v1", SnapshotJson.Default.SnapshotCommitRequested),
        JournalType.Of("snapshot.commit-refused.v1", SnapshotJson.Default.SnapshotCommitRefused),
        JournalType.Of("snapshot.handed-over.v1", SnapshotJson.Default.SnapshotHandedOver, endsEntity: true),
        JournalType.Of("snapshot.committed.v1", SnapshotJson.Default.SnapshotWasCommitted),
        JournalType.Of("snapshot.labels-changed.v1", SnapshotJson.Default.SnapshotLabelsChanged),
        JournalType.Of("snapshot.removed.v1", SnapshotJson.Default.SnapshotWasRemoved, endsEntity: true),
    ];
}
