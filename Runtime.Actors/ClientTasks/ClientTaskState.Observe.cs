using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Actors.Shims;
using Runtime.Faults;
using static Runtime.Actors.ClientTasks.ClientProcessPhase;

namespace Runtime.Actors.ClientTasks;

public sealed partial record ClientTaskState
{
    /// <summary>Takes over what the shim says: clients see its events, and may ask before the watch has told.</summary>
    private Decision Observed(ObserveProcess observe, ProcessState state, DateTimeOffset now)
    {
        if (View!.Find(observe.ExecId) is not { } process) return NotObserved(observe, MissingExec(observe.ExecId));
        var events = Difference(process, state, now);
        var known = (ClientTaskState)events.Aggregate(this, (known, next) => known.Apply(next));
        var seen = known.View!.Find(observe.ExecId)!;
        var decision = Decision.Accept(events, []).AndAnswer(GetOf(observe.ExecId), seen);
        if (seen.Exit is { } exit) decision = decision.AndAnswer(WaitOf(observe.ExecId), exit);
        return observe.DeletesEnded ? Deleting(decision, known, seen, now) : decision;
    }

    private Decision NotObserved(ObserveProcess observe, RuntimeFault fault)
    {
        var process = View!.Find(observe.ExecId);
        // A shim that is dead or busy: what is known is the best answer, and the watch will tell.
        var answered = Decision.Nothing.AndAnswer(GetOf(observe.ExecId), process is null ? new Rejected(fault) : process);
        return observe.DeletesEnded ? answered.AndAnswer(DeleteOf(observe.ExecId), new Rejected(fault)) : answered;
    }

    private static ImmutableArray<IDomainEvent> Difference(ClientProcess process, ProcessState state, DateTimeOffset now) =>
        (process.Phase, state.Status) switch
        {
            (Stopped, _) => [],
            (_, ProcessStatus.Stopped) when state.Exit is { } exit => [new ProcessExited(process.ExecId, exit.Code, exit.At, "", false)],
            // After a restart of the daemon only: else the start itself tells.
            (Starting, ProcessStatus.Running) => [new ProcessStartCompleted(process.ExecId, state.Pid, now)],
            (Starting, ProcessStatus.Created) => [new ProcessStartFailed(process.ExecId,
                new RuntimeFault(FaultKind.Aborted, "task.start-undone", "The daemon ended before the start; it was not made again."), now)],
            (Running, ProcessStatus.Paused) when process.ExecId.Length == 0 => [new TaskPaused(now)],
            (Paused, ProcessStatus.Running) when process.ExecId.Length == 0 => [new TaskResumed(now)],
            _ => [],
        };

    private Decision Deleting(Decision observed, ClientTaskState known, ClientProcess seen, DateTimeOffset now)
    {
        if (seen.IsLive)
            return observed.AndAnswer(DeleteOf(seen.ExecId), new Rejected(FaultKind.FailedPrecondition, "process.running",
                $"{(seen.ExecId.Length == 0 ? "task" : $"process {seen.ExecId} of task")} {Plan!.Id} must be stopped before deletion: running: failed precondition"));
        var delete = known.Delete(seen, now); // its caller waits under the same name already
        return observed with { Events = observed.Events.AddRange(delete.Events), Effects = delete.Effects };
    }
}
