using System.IO.Enumeration;
using Runtime.Faults;

namespace Runtime.Actors.Chaos;

/// <summary>Where in a persisted step a fault strikes.</summary>
public enum ChaosPlace
{
    /// <summary>Before an event is committed: what it tells of is decided, and nobody will remember.</summary>
    Storing,

    /// <summary>After an event is committed, before anybody knows.</summary>
    Stored,

    /// <summary>Before an effect runs: the intention is stored, nothing is done.</summary>
    Running,

    /// <summary>After an effect has run: it is done, and its outcome is not stored.</summary>
    Ran,
}

public enum ChaosAction
{
    Delay,

    /// <summary>The step fails with a fault, whatever it has done.</summary>
    Error,

    /// <summary>The entity's actor throws, and is restarted from the journal. Not for events: the journal stores those.</summary>
    CrashActor,

    /// <summary>SIGKILL to the daemon itself.</summary>
    CrashDaemon,
}

/// <summary>One kind of fault, and when it strikes.</summary>
/// <param name="Step">
/// A glob over manifests of events (<c>container.started.v1</c>) for the first two places, over names of effects
/// (<c>RunTask</c>) for the others.
/// </param>
/// <param name="Entity">A glob over persistence ids, <c>kind/namespace/id</c>.</param>
/// <param name="Delay">For <see cref="ChaosAction.Delay"/> only.</param>
/// <param name="Probability">0 to 1, of each time that the rule fits.</param>
/// <param name="Count">Faults until the rule is used up; 0 for no limit.</param>
/// <param name="Seed">Which of the fitting times are struck: the same seed strikes the same ones.</param>
public sealed record ChaosRule(
    ChaosPlace Place, string Step, string Entity, ChaosAction Action, TimeSpan Delay, double Probability, int Count, int Seed)
{
    /// <summary>So that a mistyped delay does not stop an entity for good.</summary>
    public static readonly TimeSpan DelayMax = TimeSpan.FromMinutes(10);

    /// <exception cref="FaultException">InvalidArgument <c>chaos.invalid-rule</c>.</exception>
    public void Check()
    {
        if (Step.Length == 0 || Entity.Length == 0) throw Invalid("step and entity are globs; * fits everything");
        if (Action is ChaosAction.CrashActor && Place is ChaosPlace.Storing or ChaosPlace.Stored)
            throw Invalid("an actor crashes where it runs an effect, not where the journal stores an event");
        if (Action is ChaosAction.Delay ? Delay <= TimeSpan.Zero || Delay > DelayMax : Delay != TimeSpan.Zero)
            throw Invalid($"a delay is more than nothing and at most {DelayMax.TotalMinutes:0} minutes, and belongs to the action delay only");
        if (Probability is not (> 0 and <= 1)) throw Invalid("a probability is more than 0 and at most 1");
        if (Count < 0) throw Invalid("a count is 0, for no limit, or more");
    }

    internal bool Fits(ChaosPlace place, string step, string entity) =>
        Place == place && FileSystemName.MatchesSimpleExpression(Step, step, ignoreCase: false)
        && FileSystemName.MatchesSimpleExpression(Entity, entity, ignoreCase: false);

    private static FaultException Invalid(string what) => new(FaultKind.InvalidArgument, "chaos.invalid-rule", $"The rule is refused: {what}.");
}

/// <summary>What a rule has done so far.</summary>
/// <param name="Fitted">How often it could have struck.</param>
/// <param name="Struck">How often it did.</param>
/// <param name="Recovered">How many of the struck entities have completed a step since, without being struck again.</param>
/// <param name="LastEntity">The persistence id of the last one struck; empty for none.</param>
public sealed record ChaosReport(string Id, ChaosRule Rule, long Fitted, long Struck, long Recovered, string LastEntity, DateTimeOffset? LastAt);
