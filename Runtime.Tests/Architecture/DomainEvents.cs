using Runtime.Actors;
using Runtime.Actors.Entities;
using Runtime.Actors.Journal;

namespace Runtime.Tests.Architecture;

/// <summary>The events of all slices: as they are declared, and as the journal knows them.</summary>
internal static class DomainEvents
{
    public static IReadOnlyList<JournalType> Registered { get; } = DomainJournal.Types;

    public static IEnumerable<Type> Declared => typeof(IDomainEvent).Assembly.GetTypes()
        .Where(type => type is { IsAbstract: false, IsInterface: false } && typeof(IDomainEvent).IsAssignableFrom(type));
}
