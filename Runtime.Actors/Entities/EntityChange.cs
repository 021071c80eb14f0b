using System.Collections.Immutable;
using Runtime.Actors.Namespaces;

namespace Runtime.Actors.Entities;

/// <summary>Events of one entity that have just been stored together.</summary>
/// <param name="Before">The entity's view before them; null where there was none to show.</param>
/// <param name="After">Its view now; null once it is gone.</param>
/// <param name="At">When they were stored.</param>
public sealed record EntityChange(
    NamespaceName Space, string EntityId, ImmutableArray<IDomainEvent> Events, object? Before, object? After, DateTimeOffset At);
