using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Runtime.Actors.Entities;
using Runtime.Actors.Journal;

namespace Runtime.Actors.SandboxRecords;

public sealed record SandboxRecordCreated(SandboxRecord Record) : IDomainEvent;

/// <summary>What changed of it; null where it stays.</summary>
public sealed record SandboxRecordUpdated(DateTimeOffset At) : IDomainEvent
{
    public ImmutableSortedDictionary<string, string>? Labels { get; init; }

    public ImmutableSortedDictionary<string, AnyValue>? Extensions { get; init; }

    public AnyValue? Spec { get; init; }

    public AnyValue? RuntimeOptions { get; init; }
}

public sealed record SandboxRecordRemoved(DateTimeOffset At) : IDomainEvent;

/// <summary>How sandbox records are written into the journal.</summary>
public static class SandboxRecordJournal
{
    public static ImmutableArray<JournalType> Types { get; } =
    [
        JournalType.Of("sandbox-record.created.v1", SandboxRecordJson.Default.SandboxRecordCreated),
        JournalType.Of("sandbox-record.updated.v1", SandboxRecordJson.Default.SandboxRecordUpdated),
        JournalType.Of("sandbox-record.removed.v1", SandboxRecordJson.Default.SandboxRecordRemoved, endsEntity: true),
    ];
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SandboxRecordCreated))]
[JsonSerializable(typeof(SandboxRecordUpdated))]
[JsonSerializable(typeof(SandboxRecordRemoved))]
internal sealed partial class SandboxRecordJson : JsonSerializerContext;
