using System.Text.Json.Serialization.Metadata;
using Runtime.Actors.Entities;

namespace Runtime.Actors.Journal;

/// <summary>How one type of event is written: each slice lists its own in a <c>XJournal</c> class.</summary>
/// <param name="Manifest">Written beside the payload, <c>noun.verb.v1</c>; frozen once released.</param>
/// <param name="Type">The event's record type.</param>
/// <param name="Json">From the slice's JsonSerializerContext: no reflection.</param>
/// <param name="EndsEntity">The entity is gone with this event: recovery skips it, retention may compact it.</param>
public sealed record JournalType(string Manifest, Type Type, JsonTypeInfo Json, bool EndsEntity = false)
{
    public static JournalType Of<TEvent>(string manifest, JsonTypeInfo<TEvent> json, bool endsEntity = false)
        where TEvent : IDomainEvent => new(manifest, typeof(TEvent), json, endsEntity);
}
