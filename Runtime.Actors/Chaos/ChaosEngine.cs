using System.Collections.Immutable;
using System.Diagnostics;
using Akka.Actor;
using Akka.Event;
using Runtime.Faults;
using Runtime.Linux.Processes;

namespace Runtime.Actors.Chaos;

/// <summary>What strikes at a step.</summary>
/// <param name="Delay">For <see cref="ChaosAction.Delay"/>.</param>
internal readonly record struct Strike(ChaosAction Action, TimeSpan Delay);

/// <summary>
/// Faults on purpose, by rule, at every persisted step: the journal asks before and after it stores an event, entities ask
/// before and after they run an effect. One per actor system; without rules a step costs one read. Thread-safe.
/// </summary>
/// <remarks>Rules live in memory only: a daemon that was crashed comes back without them, and can recover.</remarks>
public sealed class ChaosEngine : IExtension
{
    private const int SIGKILL = 9;

    private readonly ILoggingAdapter _log;
    private readonly TimeProvider _clock;
    private ImmutableArray<ActiveRule> _rules = [];
    private int _started;

    public ChaosEngine(ILoggingAdapter log, TimeProvider clock) => (_log, _clock) = (log, clock);

    public static ChaosEngine Of(ActorSystem system) => Provider.Instance.Apply(system);

    /// <summary>There are rules.</summary>
    public bool IsOn => !_rules.IsEmpty;

    /// <summary>The fault that an <see cref="ChaosAction.Error"/> is.</summary>
    public static RuntimeFault Injected(string step) => new(
        FaultKind.Unavailable, "chaos.injected", $"{step} failed because a chaos rule says so; try again.");

    /// <returns>The rule's id, for <see cref="Stop"/>.</returns>
    /// <exception cref="FaultException">InvalidArgument for a rule that makes no sense.</exception>
    public string Start(ChaosRule rule)
    {
        rule.Check();
        var active = new ActiveRule($"rule-{Interlocked.Increment(ref _started)}", rule);
        ImmutableInterlocked.Update(ref _rules, static (all, added) => all.Add(added), active);
        return active.Id;
    }

    /// <summary>Ends a rule and tells what it did.</summary>
    /// <exception cref="FaultException">NotFound <c>chaos.no-such-rule</c>.</exception>
    public ChaosReport Stop(string id)
    {
        var stopped = _rules.FirstOrDefault(rule => rule.Id == id)
            ?? throw new FaultException(FaultKind.NotFound, "chaos.no-such-rule", $"No chaos rule is called \"{id}\".");
        ImmutableInterlocked.Update(ref _rules, static (all, gone) => all.Remove(gone), stopped);
        return stopped.Report();
    }

    /// <summary>All rules that run, used up ones included, oldest first.</summary>
    public IReadOnlyList<ChaosReport> Report() => [.. _rules.Select(rule => rule.Report())];

    /// <summary>What strikes here; null for nothing, which is the rule. Does not return where the daemon is to crash.</summary>
    internal Strike? At(ChaosPlace place, string step, string entity)
    {
        var rules = _rules;
        if (rules.IsEmpty) return null;
        foreach (var rule in rules)
        {
            if (!rule.Strikes(place, step, entity, _clock.GetUtcNow())) continue;
            _log.Warning("Chaos {RuleId}: {Action} at {Place} {Step} of {PersistenceId}", rule.Id, rule.Rule.Action, place, step, entity);
            if (rule.Rule.Action is ChaosAction.CrashDaemon) Crash();
            return new Strike(rule.Rule.Action, rule.Rule.Delay);
        }
        if (place is ChaosPlace.Stored or ChaosPlace.Ran)
            foreach (var rule in rules) rule.Completed(entity);
        return null;
    }

    private static void Crash()
    {
        ProcessControl.TrySignal(Environment.ProcessId, SIGKILL);
        throw new UnreachableException("SIGKILL to this process was not the end of it.");
    }

    private sealed class ActiveRule(string id, ChaosRule rule)
    {
        private readonly Lock _gate = new();
        private readonly Random _random = new(rule.Seed);
        private readonly HashSet<string> _struck = [];
        private ChaosReport _report = new(id, rule, 0, 0, 0, "", null);

        public string Id => id;

        public ChaosRule Rule => rule;

        public ChaosReport Report()
        {
            lock (_gate) return _report;
        }

        public bool Strikes(ChaosPlace place, string step, string entity, DateTimeOffset now)
        {
            if (!rule.Fits(place, step, entity)) return false;
            lock (_gate)
            {
                if (rule.Count > 0 && _report.Struck >= rule.Count) return false;
                var strikes = _random.NextDouble() < rule.Probability;
                _report = _report with { Fitted = _report.Fitted + 1 };
                if (!strikes) return false;
                _struck.Add(entity);
                _report = _report with { Struck = _report.Struck + 1, LastEntity = entity, LastAt = now };
                return true;
            }
        }

        public void Completed(string entity)
        {
            lock (_gate)
            {
                if (_struck.Remove(entity)) _report = _report with { Recovered = _report.Recovered + 1 };
            }
        }
    }

    private sealed class Provider : ExtensionIdProvider<ChaosEngine>
    {
        public static readonly Provider Instance = new();

        public override ChaosEngine CreateExtension(ExtendedActorSystem system) =>
            new(Logging.GetLogger(system, nameof(ChaosEngine)), TimeProvider.System);
    }
}

/// <summary>Thrown where a rule crashes an actor.</summary>
internal sealed class ChaosException(string step) : Exception($"A chaos rule crashed the actor at {step}.");
