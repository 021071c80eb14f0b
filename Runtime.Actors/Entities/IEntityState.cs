using System.Collections.Immutable;

namespace Runtime.Actors.Entities;

/// <summary>
/// The pure core of an entity: no clock, no I/O, no actor types. Time and new ids come in with the command.
/// </summary>
/// <typeparam name="TSelf">The immutable state record itself.</typeparam>
/// <typeparam name="TView">What lists and status queries see of it.</typeparam>
public interface IEntityState<TSelf, TView>
    where TView : class
{
    /// <summary>What queries see; null while there is nothing to show. A new reference only when something changed.</summary>
    TView? View { get; }

    /// <summary>The last event is stored: the entity is gone, and its actor stops.</summary>
    bool Ended { get; }

    /// <summary>The state after a stored event. Never fails on an event that it knows.</summary>
    TSelf Apply(IDomainEvent recorded);

    /// <summary>
    /// Decides about a command, or about an <see cref="EffectDone"/> or <see cref="EffectFailed"/> of its own effects.
    /// </summary>
    Decision Decide(object command, DateTimeOffset now);

    /// <summary>What recovery has to run to finish or undo what the last persisted step began.</summary>
    ImmutableArray<IEffect> Unfinished();
}
