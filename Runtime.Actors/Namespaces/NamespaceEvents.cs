using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Runtime.Actors.Entities;
using Runtime.Actors.Journal;

namespace Runtime.Actors.Namespaces;

public sealed record NamespaceCreated(string Name, ImmutableSortedDictionary<string, string> Labels, DateTimeOffset At) : IDomainEvent;

public sealed record NamespaceLabelsChanged(ImmutableSortedDictionary<string, string> Labels, DateTimeOffset At) : IDomainEvent;

public sealed record NamespaceWasDeleted(DateTimeOffset At) : IDomainEvent;

/// <summary>How namespaces are written into the journal.</summary>
public static class NamespaceJournal
{
    public static ImmutableArray<JournalType> Types { get; } =
    [
        JournalType.Of("namespace.created.v1", NamespaceJson.Default.NamespaceCreated),
        JournalType.Of("namespace.labels-changed.v1", NamespaceJson.Default.NamespaceLabelsChanged),
        JournalType.Of("namespace.deleted.v1", NamespaceJson.Default.NamespaceWasDeleted, endsEntity: true),
    ];
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(NamespaceCreated))]
[JsonSerializable(typeof(NamespaceLabelsChanged))]
[JsonSerializable(typeof(NamespaceWasDeleted))]
internal sealed partial class NamespaceJson : JsonSerializerContext;
