using System.Collections.Immutable;
using Runtime.Faults;

namespace Runtime.Actors.Entities;

/// <summary>What a state decided about a command. The shell stores the events, then runs the effects, then answers.</summary>
/// <remarks>
/// A caller is answered at once with <see cref="Reply"/>, or waits under the name <see cref="Join"/> until a later
/// decision answers that name. Several callers can wait under one name: this is how a retry joins an operation in flight.
/// </remarks>
public sealed record Decision
{
    public static readonly Decision Nothing = new();

    public ImmutableArray<IDomainEvent> Events { get; init; } = [];

    public ImmutableArray<IEffect> Effects { get; init; } = [];

    /// <summary>Told to the sender of the command, once the events are stored.</summary>
    public object? Reply { get; init; }

    /// <summary>The sender waits under this name.</summary>
    public string? Join { get; init; }

    /// <summary>Told to all who wait under a name, once the events are stored.</summary>
    public ImmutableArray<Answer> Answers { get; init; } = [];

    public static Decision Accept(ImmutableArray<IDomainEvent> events, ImmutableArray<IEffect> effects, object? reply = null) =>
        new() { Events = events, Effects = effects, Reply = reply };

    public static Decision Answering(object reply) => new() { Reply = reply };

    public static Decision Waiting(string join, ImmutableArray<IDomainEvent> events = default, ImmutableArray<IEffect> effects = default) =>
        new() { Join = join, Events = events.IsDefault ? [] : events, Effects = effects.IsDefault ? [] : effects };

    public static Decision Reject(FaultKind kind, string code, string message) => Reject(new RuntimeFault(kind, code, message));

    public static Decision Reject(RuntimeFault fault) => new() { Reply = new Rejected(fault) };

    public Decision AndAnswer(string join, object reply) => this with { Answers = Answers.Add(new Answer(join, reply)) };
}

/// <summary>A reply for all who wait under <paramref name="Join"/>.</summary>
public sealed record Answer(string Join, object Reply);
