using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Runtime.Actors.Entities;
using Runtime.Actors.Journal;

namespace Runtime.Actors.Leases;

public sealed record LeaseCreated(string Id, ImmutableSortedDictionary<string, string> Labels, DateTimeOffset At) : IDomainEvent;

public sealed record LeaseResourcesAdded(ImmutableArray<LeaseResource> Resources, DateTimeOffset At) : IDomainEvent;

public sealed record LeaseResourcesRemoved(ImmutableArray<LeaseResource> Resources, DateTimeOffset At) : IDomainEvent;

/// <param name="Expired">True when its time was over; false when somebody asked for it.</param>
public sealed record LeaseEnded(bool Expired, DateTimeOffset At) : IDomainEvent;

/// <summary>How leases are written into the journal.</summary>
public static class LeaseJournal
{
    public static ImmutableArray<JournalType> Types { get; } =
    [
        JournalType.Of("lease.created.v1", LeaseJson.Default.LeaseCreated),
        JournalType.Of("lease.resources-added.v1", LeaseJson.Default.LeaseResourcesAdded),
        JournalType.Of("lease.resources-removed.v1", LeaseJson.Default.LeaseResourcesRemoved),
        JournalType.Of("lease.ended.v1", LeaseJson.Default.LeaseEnded, endsEntity: true),
    ];
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, IgnoreReadOnlyProperties = true)]
[JsonSerializable(typeof(LeaseCreated))]
[JsonSerializable(typeof(LeaseResourcesAdded))]
[JsonSerializable(typeof(LeaseResourcesRemoved))]
[JsonSerializable(typeof(LeaseEnded))]
internal sealed partial class LeaseJson : JsonSerializerContext;
