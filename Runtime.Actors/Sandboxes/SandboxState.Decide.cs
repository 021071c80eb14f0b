using Runtime.Actors.Entities;
using Runtime.Faults;

namespace Runtime.Actors.Sandboxes;

public sealed partial record SandboxState
{
    /// <summary>A sandbox that never had containers has none to remove.</summary>
    private IEffect FirstOfRemoval => RunFault is null ? new RemoveContainers(Plan!) : new TearDown(Plan!, NetworkAttached);

    public Decision Decide(object command, DateTimeOffset now) => (command, Life) switch
    {
        (RunSandbox run, SandboxLife.None) => Run(run, now),
        (RunSandbox, SandboxLife.Starting) => Decision.Waiting(RunJoin),
        (RunSandbox, SandboxLife.Untaken) => Decision.Waiting(RunJoin, [new SandboxTaken(now)])
            .AndAnswer(RunJoin, new SandboxStarted(Plan!.Id)),
        (RunSandbox, SandboxLife.Removing or SandboxLife.Removed) => Decision.Reject(RunFault ?? BeingRemoved),
        (RunSandbox, _) => Decision.Reject(FaultKind.AlreadyExists, "sandbox.exists",
            $"Pod {Plan!.Config.PodNamespace}/{Plan.Config.Name} (attempt {Plan.Config.Attempt}) has the sandbox {Plan.Id} already; "
            + "remove it, or use another attempt."),
        (StartUntaken, SandboxLife.Ready) => Decision.Accept(
            [new SandboxUntaken(now)], [new ExpireUntaken(now, _options.UntakenLimit)]),

        (StopSandbox stop, SandboxLife.None or SandboxLife.Stopped or SandboxLife.Removed) =>
            Decision.Answering(new SandboxStopped(stop.EntityId)),
        (StopSandbox, SandboxLife.Starting) => Decision.Waiting(StopJoin, [Fail(StoppedWhileStarting, now)], [FirstTearDown]),
        (StopSandbox, SandboxLife.Stopping or SandboxLife.Removing) => Decision.Waiting(StopJoin, effects: [RetryNow.Instance]),
        (StopSandbox, _) => Decision.Waiting(StopJoin, [new SandboxStopRequested(now)], [new StopContainers(Plan!)]),

        (RemoveSandbox remove, SandboxLife.None or SandboxLife.Removed) =>
            Decision.Answering(new SandboxRemoved(remove.EntityId)),
        (RemoveSandbox, SandboxLife.Starting) => Decision.Waiting(RemoveJoin, [Fail(StoppedWhileStarting, now)], [FirstTearDown]),
        (RemoveSandbox, SandboxLife.Removing) => Decision.Waiting(RemoveJoin, effects: [RetryNow.Instance]),
        (RemoveSandbox, _) => Decision.Waiting(RemoveJoin, [new SandboxRemoveRequested(now)], [new RemoveContainers(Plan!)]),

        (UpdateSandbox update, SandboxLife.None or SandboxLife.Removed) => Decision.Reject(NotFound(update.EntityId)),
        (UpdateSandbox, SandboxLife.Removing) => Decision.Reject(BeingRemoved),
        (UpdateSandbox update, _) => Decision.Accept([new SandboxResourcesUpdated(update.Overhead, update.Resources, now)], [], new SandboxUpdated(Plan!.Id)),

        (EffectDone done, _) => Done(done.Effect, done.Outcome, now),
        (EffectFailed failed, _) => Failed(failed.Effect, failed.Fault, now),
        (StartUntaken, _) => Decision.Nothing,
        _ => Decision.Reject(FaultKind.Unimplemented, "sandbox.unknown-command", $"A sandbox does not understand {command.GetType().Name}."),
    };

    internal static RuntimeFault NotFound(string id) => new(FaultKind.NotFound, "sandbox.not-found", $"There is no sandbox {id}.");

    private static RuntimeFault StoppedWhileStarting => new(
        FaultKind.Aborted, "sandbox.stopped", "The sandbox was stopped while it started.");

    private RuntimeFault BeingRemoved => new(
        FaultKind.Unavailable, "sandbox.being-removed", $"The sandbox {Plan!.Id} is being removed; try again.");

    private TearDown FirstTearDown => new(Plan!, NetworkAttached);

    private static SandboxRunFailed Fail(RuntimeFault fault, DateTimeOffset now) => new(fault, now);

    private Decision Run(RunSandbox run, DateTimeOffset now)
    {
        if (SandboxRules.Check(run.EntityId, run.Config, _options) is { } fault) return Decision.Reject(fault);
        var plan = SandboxPlan.Make(_space, run.EntityId, run.Config, _options) with { SelinuxLevel = SelinuxLevel.Of(run) };
        return Decision.Waiting(
            RunJoin,
            [new SandboxRunRequested(plan, _options.BootId, now)],
            plan.HasNetwork ? [new AttachNetwork(plan), new StartShim(plan, Again: false)] : [new StartShim(plan, Again: false)]);
    }

    private Decision Done(IEffect effect, object? outcome, DateTimeOffset now) => (effect, Life) switch
    {
        (AttachNetwork, SandboxLife.Starting) when outcome is NetworkOutcome network =>
            Progress(new SandboxNetworkAttached(network.Ips, network.CniResult, now), complete: ShimStarted, now),
        (StartShim, SandboxLife.Starting) when outcome is uint pid =>
            Progress(new SandboxShimStarted(pid, now), complete: NetworkAttached || !Plan!.HasNetwork, now),
        (WatchSandbox, SandboxLife.Ready) => Decision.Accept([new SandboxLost((string)outcome!, now)], []),
        (WatchSandbox, SandboxLife.Untaken) => Decision.Accept([Fail(Expired((string)outcome!), now)], [FirstTearDown]),
        (ExpireUntaken due, SandboxLife.Untaken) when due.UntakenAt == UntakenAt => Decision.Accept(
            [Fail(Expired("nobody came back for it"), now)], [FirstTearDown]),
        (NoticeReboot, SandboxLife.Starting or SandboxLife.Untaken) => Decision.Accept(
            [Fail(new(FaultKind.Aborted, "sandbox.rebooted", "The machine was booted again while the sandbox started."), now)],
            [FirstTearDown]),
        // Only DEL is left to do for the addresses; the kubelet makes a new sandbox when it sees this one not ready.
        (NoticeReboot, SandboxLife.Ready) => Decision.Accept(
            [new SandboxLost("The machine was booted again.", now), new SandboxStopRequested(now)], [new StopContainers(Plan!)]),
        (StopContainers, SandboxLife.Stopping) => Decision.Accept([], [new ReleaseSandbox(Plan!, NetworkAttached)]),
        (ReleaseSandbox, SandboxLife.Stopping) => Decision.Accept([new SandboxStopCompleted(now)], [])
            .AndAnswer(StopJoin, new SandboxStopped(Plan!.Id)),
        (RemoveContainers, SandboxLife.Removing) => Decision.Accept([], [FirstTearDown]),
        (TearDown, SandboxLife.Removing) => AnswerRun(Decision.Accept([new SandboxRemoveCompleted(now)], []))
            .AndAnswer(StopJoin, new SandboxStopped(Plan!.Id))
            .AndAnswer(RemoveJoin, new SandboxRemoved(Plan!.Id)),
        (RetryLater retry, _) when IsDue(retry.Then) => Decision.Accept([], [retry.Then]),
        _ => Decision.Nothing,
    };

    private Decision Failed(IEffect effect, RuntimeFault fault, DateTimeOffset now) => (effect, Life) switch
    {
        (AttachNetwork or StartShim, SandboxLife.Starting) => Decision.Accept([Fail(fault, now)], [FirstTearDown]),
        // The shim could not be asked just now, which says nothing about the sandbox.
        (WatchSandbox, SandboxLife.Ready or SandboxLife.Untaken) => Decision.Accept([], [new RetryLater(_options.RetryMin, effect)]),
        (IRetriedEffect retried, _) when IsDue(retried) =>
            AnswerRun(Decision.Accept([], [new RetryLater(Pause(retried.Failures), retried.AfterFailure())]))
                .AndAnswer(StopJoin, new Rejected(fault))
                .AndAnswer(RemoveJoin, new Rejected(fault)),
        _ => Decision.Nothing,
    };

    private Decision Progress(IDomainEvent step, bool complete, DateTimeOffset now) =>
        complete
            ? Decision.Accept([step, new SandboxRunCompleted(now)], [new WatchSandbox(Plan!)])
                .AndAnswer(RunJoin, new SandboxStarted(Plan!.Id))
            : Decision.Accept([step], []);

    /// <summary>Whoever waits for a start that failed learns why as soon as the first attempt to undo it is over.</summary>
    private Decision AnswerRun(Decision decision) =>
        RunFault is null ? decision : decision.AndAnswer(RunJoin, new Rejected(RunFault));

    /// <summary>What belongs to a phase that is over is not done any more.</summary>
    private bool IsDue(IEffect effect) => effect switch
    {
        StopContainers or ReleaseSandbox => Life == SandboxLife.Stopping,
        RemoveContainers or TearDown => Life == SandboxLife.Removing,
        WatchSandbox => Life is SandboxLife.Ready or SandboxLife.Untaken,
        _ => false,
    };

    private TimeSpan Pause(int failures) =>
        TimeSpan.FromTicks(Math.Min(_options.RetryMin.Ticks << Math.Min(failures, 20), _options.RetryMax.Ticks));

    private static RuntimeFault Expired(string why) => new(
        FaultKind.Aborted, "sandbox.untaken", $"The sandbox was removed again: those who had asked for it had gone, and {why}.");
}
