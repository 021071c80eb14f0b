using System.Text.Json.Serialization;
using Runtime.Actors.Entities;
using Runtime.Actors.Journal;

namespace Runtime.Tests.Unit.Journal;

/// <summary>Events of the journal's own tests.</summary>
public sealed record Noted(string Text, int Number) : IDomainEvent;

/// <summary>Ends its entity.</summary>
public sealed record Closed(string Why) : IDomainEvent;

/// <summary>Nobody registers it.</summary>
public sealed record Unlisted(string Text) : IDomainEvent;

/// <summary>How <see cref="Noted"/> looked in its first version.</summary>
public sealed record NotedV0(string Words);

/// <summary>A snapshot.</summary>
public sealed record NoteBook(string[] Notes);

[JsonSerializable(typeof(Noted))]
[JsonSerializable(typeof(Closed))]
[JsonSerializable(typeof(NotedV0))]
[JsonSerializable(typeof(NoteBook))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class NoteJson : JsonSerializerContext;

internal static class NoteJournal
{
    public static readonly JournalType[] Types =
    [
        JournalType.Of("note.noted.v1", NoteJson.Default.Noted),
        JournalType.Of("note.closed.v1", NoteJson.Default.Closed, endsEntity: true),
        new("note.book.v1", typeof(NoteBook), NoteJson.Default.NoteBook),
    ];

    public static readonly JournalUpcast[] Upcasts =
        [JournalUpcast.Of("note.noted.v0", NoteJson.Default.NotedV0, old => new Noted(old.Words, 0))];
}
