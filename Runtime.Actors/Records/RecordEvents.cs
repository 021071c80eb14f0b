using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Runtime.Actors.Entities;
using Runtime.Actors.Journal;

namespace Runtime.Actors.Records;

public sealed record ContainerRecordCreated(ContainerRecord Record) : IDomainEvent;

/// <summary>What changed of it; null where it stays.</summary>
public sealed record ContainerRecordUpdated(DateTimeOffset At) : IDomainEvent
{
    public ImmutableSortedDictionary<string, string>? Labels { get; init; }

    public AnyValue? Spec { get; init; }

    public ImmutableSortedDictionary<string, AnyValue>? Extensions { get; init; }

    public string? Image { get; init; }

    public string? SnapshotKey { get; init; }
}

public sealed record ContainerRecordDeleted(DateTimeOffset At) : IDomainEvent;

/// <summary>How container records are written into the journal.</summary>
public static class RecordJournal
{
    public static ImmutableArray<JournalType> Types { get; } =
    [
        JournalType.Of("container-record.created.v1", RecordJson.Default.ContainerRecordCreated),
        JournalType.Of("container-record.updated.v1", RecordJson.Default.ContainerRecordUpdated),
        JournalType.Of("container-record.deleted.v1", RecordJson.Default.ContainerRecordDeleted, endsEntity: true),
    ];
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ContainerRecordCreated))]
[JsonSerializable(typeof(ContainerRecordUpdated))]
[JsonSerializable(typeof(ContainerRecordDeleted))]
internal sealed partial class RecordJson : JsonSerializerContext;
