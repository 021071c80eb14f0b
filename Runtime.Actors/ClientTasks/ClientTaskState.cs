using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Actors.Shims;
using Runtime.Faults;

namespace Runtime.Actors.ClientTasks;

/// <summary>
/// The task of one container record, and its execs. Pure. The shim is the truth about processes; this is what is known of it.
/// </summary>
/// <remarks>
/// <code>
///   CreateTask              StartProcess                            it ends
///       |                        |                                     |
///   Requested ----> Created ----> Starting ----> Running &lt;---> Paused  |
///       | fails        |   ^          | fails        |          |       |
///       |              |   +----------+              +----------+----> Stopped
///       v              |   DeleteProcess                                 |
///   (destroyed)        +-----------------> (removed) &lt;------------------+
/// </code>
/// An exec goes the same way within its task.
/// </remarks>
public sealed partial record ClientTaskState : IEntityState<ClientTaskState, ClientTaskView>
{
    public static readonly ClientTaskState Empty = new();

    private ClientTaskState()
    {
    }

    public ClientTaskView? View { get; private init; }

    public bool Ended { get; private init; }

    private ClientTaskPlan? Plan { get; init; }

    private bool IsDeleting { get; init; }

    /// <summary>Why it could not be created; null while that has not failed.</summary>
    private RuntimeFault? CreateFault { get; init; }

    public ClientTaskState Apply(IDomainEvent recorded) => recorded switch
    {
        TaskCreateRequested requested => new() { Plan = requested.Plan, View = ViewOf(requested) },
        TaskCreateCompleted created => Show("", init => init with { Phase = ClientProcessPhase.Created, Pid = created.Pid }),
        TaskCreateFailed failed => this with { CreateFault = failed.Fault },
        ExecCreateRequested requested => this with
        {
            View = View! with
            {
                Execs = View.Execs.SetItem(
                    requested.ExecId, new ClientProcess(requested.ExecId, requested.Io, ClientProcessPhase.Requested, 0, null)),
            },
        },
        ExecCreateCompleted created => Show(created.ExecId, exec => exec with { Phase = ClientProcessPhase.Created }),
        ExecDeleted deleted => this with { View = View! with { Execs = View.Execs.Remove(deleted.ExecId) } },
        ProcessStartRequested requested => Show(requested.ExecId, process => process with { Phase = ClientProcessPhase.Starting }),
        // Its end may have been noticed first.
        ProcessStartCompleted started => Show(started.ExecId, process => process with
        {
            Pid = started.Pid,
            Phase = process.Phase == ClientProcessPhase.Starting ? ClientProcessPhase.Running : process.Phase,
        }),
        ProcessStartFailed failed => Show(failed.ExecId, process => process with
        {
            Phase = process.Phase == ClientProcessPhase.Starting ? ClientProcessPhase.Created : process.Phase,
        }),
        ProcessExited exited => Show(exited.ExecId, process => process with
        {
            Phase = ClientProcessPhase.Stopped,
            Exit = new ProcessExit(process.Pid, exited.Code, exited.ExitedAt),
        }),
        TaskPaused => Show("", init => init with { Phase = ClientProcessPhase.Paused }),
        TaskResumed => Show("", init => init with { Phase = ClientProcessPhase.Running }),
        TaskDeleteRequested => this with { IsDeleting = true },
        TaskDeleteRefused => this with { IsDeleting = false },
        TaskDeleted => this with { Ended = true, View = null },
        _ => this,
    };

    public ImmutableArray<IEffect> Unfinished()
    {
        if (Plan is not { } plan || View is not { } view) return [];
        // Nobody waits for what was being made: it is undone. A deletion that has begun goes on.
        if (view.Init.Phase == ClientProcessPhase.Requested) return [new DestroyTask(plan)];
        if (IsDeleting) return [new RemoveTask(plan)];
        var effects = ImmutableArray.CreateBuilder<IEffect>();
        foreach (var process in view.Execs.Values.Prepend(view.Init))
        {
            if (process.IsLive) effects.Add(new ObserveProcess(plan, process.ExecId));
            if (process.IsLive || process is { ExecId.Length: 0, Phase: ClientProcessPhase.Created })
                effects.Add(new WatchProcess(plan, process.ExecId));
            if (process.Phase == ClientProcessPhase.Requested) effects.Add(new RemoveExec(plan, process.ExecId));
        }
        return effects.DrainToImmutable();
    }

    private static ClientTaskView ViewOf(TaskCreateRequested requested) => new()
    {
        Id = requested.Plan.Id,
        Runtime = requested.Runtime,
        Bundle = requested.Plan.Bundle,
        CreatedAt = requested.At,
        Init = new ClientProcess("", requested.Io, ClientProcessPhase.Requested, 0, null),
    };

    private ClientTaskState Show(string execId, Func<ClientProcess, ClientProcess> change)
    {
        if (View?.Find(execId) is not { } process) return this;
        var changed = change(process);
        return this with
        {
            View = execId.Length == 0 ? View with { Init = changed } : View with { Execs = View.Execs.SetItem(execId, changed) },
        };
    }
}
