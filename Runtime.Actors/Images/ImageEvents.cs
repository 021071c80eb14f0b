using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Runtime.Actors.Entities;
using Runtime.Actors.Journal;

namespace Runtime.Actors.Images;

public sealed record ImageCreated(
    string Name, ImageTarget Target, ImmutableSortedDictionary<string, string> Labels, DateTimeOffset At) : IDomainEvent;

/// <summary>The name has another target or other labels now.</summary>
public sealed record ImageUpdated(
    string Name, ImageTarget Target, ImmutableSortedDictionary<string, string> Labels, DateTimeOffset At) : IDomainEvent;

public sealed record ImageRemoved(string Name, DateTimeOffset At) : IDomainEvent;

[JsonSerializable(typeof(ImageCreated))]
[JsonSerializable(typeof(ImageUpdated))]
[JsonSerializable(typeof(ImageRemoved))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class ImageJson : JsonSerializerContext;

public static class ImageJournal
{
    public static readonly ImmutableArray<JournalType> Types =
    [
        JournalType.Of("image.created.v1", ImageJson.Default.ImageCreated),
        JournalType.Of("image.updated.v1", ImageJson.Default.ImageUpdated),
        JournalType.Of("image.removed.v1", ImageJson.Default.ImageRemoved, endsEntity: true),
    ];
}
