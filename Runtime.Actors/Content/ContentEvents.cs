using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Runtime.Actors.Entities;
using Runtime.Actors.Journal;

namespace Runtime.Actors.Content;

public sealed record ContentWasAdded(
    string Digest, long Size, ImmutableSortedDictionary<string, string> Labels, DateTimeOffset At) : IDomainEvent;

public sealed record ContentLabelsChanged(
    string Digest, ImmutableSortedDictionary<string, string> Labels, DateTimeOffset At) : IDomainEvent;

public sealed record ContentWasRemoved(string Digest, DateTimeOffset At) : IDomainEvent;

/// <summary>A snapshot of one namespace's records, so that recovery replays a bounded number of events.</summary>
public sealed record ContentRecords(ImmutableArray<ContentView> Blobs);

[JsonSerializable(typeof(ContentWasAdded))]
[JsonSerializable(typeof(ContentLabelsChanged))]
[JsonSerializable(typeof(ContentWasRemoved))]
[JsonSerializable(typeof(ContentRecords))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class ContentJson : JsonSerializerContext;

public static class ContentJournal
{
    public static readonly ImmutableArray<JournalType> Types =
    [
        JournalType.Of("content.added.v1", ContentJson.Default.ContentWasAdded),
        JournalType.Of("content.labels-changed.v1", ContentJson.Default.ContentLabelsChanged),
        JournalType.Of("content.removed.v1", ContentJson.Default.ContentWasRemoved),
        new("content.records.v1", typeof(ContentRecords), ContentJson.Default.ContentRecords),
    ];
}
