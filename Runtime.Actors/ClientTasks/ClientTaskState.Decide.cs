using Runtime.Actors.Entities;
using Runtime.Actors.Shims;
using Runtime.Faults;
using static Runtime.Actors.ClientTasks.ClientProcessPhase;

namespace Runtime.Actors.ClientTasks;

public sealed partial record ClientTaskState
{
    /// <summary>Who waits for the creation.</summary>
    internal const string CreateJoin = "create";

    private const int ExecIdLengthMax = 76;

    public Decision Decide(object command, DateTimeOffset now) => command switch
    {
        CreateTask create when Plan is null => Decision.Waiting(
            CreateJoin,
            [new TaskCreateRequested(PlanOf(create), create.Recipe.Runtime, create.Recipe.Io, now)],
            [new SetUpTask(PlanOf(create), create.Recipe)]),
        CreateTask => Decision.Reject(FaultKind.AlreadyExists, "task.exists", $"task {Plan!.Id}: already exists"),
        _ when Plan is null || View is null => Decision.Nothing,

        // Creation, or its undoing.
        EffectDone { Effect: SetUpTask, Outcome: uint pid } => Decision.Accept([new TaskCreateCompleted(pid, now)], [new WatchProcess(Plan, "")])
            .AndAnswer(CreateJoin, new TaskCreated(pid)),
        EffectFailed { Effect: SetUpTask } failed => Decision.Accept([new TaskCreateFailed(failed.Fault, now)], [new DestroyTask(Plan)]),
        EffectDone { Effect: DestroyTask } => Gone(false, null, now).AndAnswer(CreateJoin, new Rejected(CreateFault ?? Undone)),
        EffectFailed { Effect: DestroyTask } => Decision.Accept([], [new AwaitTaskRetry()]).AndAnswer(CreateJoin, new Rejected(CreateFault ?? Undone)),
        EffectDone { Effect: AwaitTaskRetry } => Decision.Accept([], [IsDeleting ? new RemoveTask(Plan) : new DestroyTask(Plan)]),
        IClientTaskCommand when View.Init.Phase == Requested =>
            Decision.Reject(FaultKind.Unavailable, "task.not-ready", $"task {Plan.Id} is being created, or undone; try again shortly"),

        // Processes.
        CreateExec create => Create(create, now),
        EffectDone { Effect: SetUpExec exec } => Decision.Accept([new ExecCreateCompleted(exec.ExecId, now)], [])
            .AndAnswer(CreateOf(exec.ExecId), new ExecCreated(exec.ExecId)),
        EffectFailed { Effect: SetUpExec exec } failed => Decision.Accept([new ExecDeleted(exec.ExecId, now)], [])
            .AndAnswer(CreateOf(exec.ExecId), new Rejected(failed.Fault)),
        StartProcess start => Start(start, now),
        EffectDone { Effect: RunProcess run, Outcome: uint pid } => Started(run.ExecId, pid, now),
        EffectFailed { Effect: RunProcess run } failed => Decision.Accept([new ProcessStartFailed(run.ExecId, failed.Fault, now)], [])
            .AndAnswer(StartOf(run.ExecId), new Rejected(failed.Fault)),
        EffectDone { Effect: WatchProcess watch, Outcome: ProcessEnd end } => End(watch.ExecId, end),
        EffectDone { Effect: ObserveProcess observe, Outcome: ProcessState state } => Observed(observe, state, now),
        EffectFailed { Effect: ObserveProcess observe } failed => NotObserved(observe, failed.Fault),
        WaitProcess wait => Of(wait.ExecId, process => process.Exit is { } exit
            ? Decision.Answering(exit)
            : Decision.Waiting(WaitOf(wait.ExecId))),
        GetProcess get => Of(get.ExecId, process => process.Phase is Running or Paused
            ? Decision.Waiting(GetOf(get.ExecId), effects: [new ObserveProcess(Plan, get.ExecId)])
            : Decision.Answering(process)),

        // Calls.
        CallTask call => Of(call.Call.ExecId, _ => Decision.Waiting(call.CallId, effects: [new RunTaskCall(Plan, call.CallId, call.Call)])),
        EffectDone { Effect: RunTaskCall { Call: PauseCall } call } when View.Init.Phase == Running =>
            Called(call, null, new TaskPaused(now)),
        EffectDone { Effect: RunTaskCall { Call: ResumeCall } call } when View.Init.Phase == Paused =>
            Called(call, null, new TaskResumed(now)),
        EffectDone { Effect: RunTaskCall call, Outcome: var outcome } => Called(call, outcome),
        EffectFailed { Effect: RunTaskCall call } failed => Decision.Nothing.AndAnswer(call.CallId, new Rejected(failed.Fault)),

        // Removal.
        DeleteProcess delete => Of(delete.ExecId, process => Delete(process, now)),
        EffectDone { Effect: RemoveExec remove, Outcome: var exit } => ExecGone(remove.ExecId, exit as ProcessExit, now),
        EffectFailed { Effect: RemoveExec remove } failed => Decision.Nothing.AndAnswer(DeleteOf(remove.ExecId), new Rejected(failed.Fault)),
        EffectDone { Effect: RemoveTask, Outcome: TaskRemoval removal } => Gone(removal.IsShimDead, removal.Exit, now),
        EffectFailed { Effect: RemoveTask, Fault.Kind: FaultKind.FailedPrecondition } refused =>
            Decision.Accept([new TaskDeleteRefused(refused.Fault, now)], []).AndAnswer(DeleteOf(""), new Rejected(refused.Fault)),
        EffectFailed { Effect: RemoveTask } failed =>
            Decision.Accept([], [new AwaitTaskRetry()]).AndAnswer(DeleteOf(""), new Rejected(failed.Fault)),

        _ => Decision.Nothing, // an outcome that the task's course has overtaken
    };

    private RuntimeFault Undone => new(FaultKind.Aborted, "task.undone", $"task {Plan!.Id}: the daemon ended while it was created; it was undone");

    private static string CreateOf(string execId) => $"create-exec/{execId}";

    private static string StartOf(string execId) => $"start/{execId}";

    private static string WaitOf(string execId) => $"wait/{execId}";

    private static string GetOf(string execId) => $"get/{execId}";

    private static string DeleteOf(string execId) => $"delete/{execId}";

    private static ClientTaskPlan PlanOf(CreateTask create) => new(create.Space, create.EntityId, create.Bundle);

    private Decision Of(string execId, Func<ClientProcess, Decision> decide) => View!.Find(execId) is { } process
        ? decide(process)
        : Decision.Reject(MissingExec(execId));

    private RuntimeFault MissingExec(string execId) =>
        new(FaultKind.NotFound, "exec.not-found", $"process {execId} of task {Plan!.Id}: not found");

    private Decision WrongPhase(string what, ClientProcess process) => Decision.Reject(FaultKind.FailedPrecondition, "process.wrong-phase",
        $"cannot {what} {(process.ExecId.Length == 0 ? "task" : $"process {process.ExecId} of task")} {Plan!.Id} in state {process.Phase}: failed precondition");

    private Decision Create(CreateExec create, DateTimeOffset now) => create.ExecId switch
    {
        "" or { Length: > ExecIdLengthMax } or "." or ".." => BadExecId(create.ExecId),
        var id when id.AsSpan().ContainsAny("/\0") => BadExecId(id),
        var id when View!.Execs.ContainsKey(id) =>
            Decision.Reject(FaultKind.AlreadyExists, "exec.exists", $"id {id} of task {Plan!.Id}: already exists"),
        var id => Decision.Waiting(CreateOf(id), [new ExecCreateRequested(id, create.Io, now)], [new SetUpExec(Plan!, id, create.SpecJson, create.Io)]),
    };

    private static Decision BadExecId(string id) => Decision.Reject(FaultKind.InvalidArgument, "exec.bad-id",
        $"exec id \"{id}\" must have 1 to {ExecIdLengthMax} characters and no slash: invalid argument");

    private Decision Start(StartProcess start, DateTimeOffset now) => Of(start.ExecId, process => process.Phase switch
    {
        Created when !IsDeleting => Decision.Waiting(
            StartOf(start.ExecId), [new ProcessStartRequested(start.ExecId, now)], [new RunProcess(Plan!, start.ExecId)]),
        Starting => Decision.Waiting(StartOf(start.ExecId)),
        _ => WrongPhase("start", process),
    });

    // The first process is watched since its creation.
    private Decision Started(string execId, uint pid, DateTimeOffset now) => Decision
        .Accept([new ProcessStartCompleted(execId, pid, now)], execId.Length == 0 ? [] : [new WatchProcess(Plan!, execId)])
        .AndAnswer(StartOf(execId), new ProcessStarted(pid));

    private Decision End(string execId, ProcessEnd end) => View!.Find(execId) is { Exit: null } process
        ? Decision.Accept([new ProcessExited(execId, end.Exit.Code, end.Exit.At, end.Cause, end.IsShimDead)], [])
            .AndAnswer(WaitOf(execId), end.Exit with { Pid = process.Pid })
        : Decision.Nothing;

    private static Decision Called(RunTaskCall call, object? outcome, params ReadOnlySpan<IDomainEvent> events) =>
        Decision.Accept([.. events], []).AndAnswer(call.CallId, outcome ?? TaskCallDone.Instance);

    private Decision Delete(ClientProcess process, DateTimeOffset now) => process switch
    {
        { ExecId.Length: 0 } when IsDeleting => Decision.Waiting(DeleteOf("")),
        { Phase: Requested or Starting } => WrongPhase("delete", process),
        { IsLive: true } => Decision.Waiting(DeleteOf(process.ExecId), effects: [new ObserveProcess(Plan!, process.ExecId, DeletesEnded: true)]),
        { ExecId.Length: 0 } => Decision.Waiting(DeleteOf(""), [new TaskDeleteRequested(now)], [new RemoveTask(Plan!)]),
        _ => Decision.Waiting(DeleteOf(process.ExecId), effects: [new RemoveExec(Plan!, process.ExecId)]),
    };

    private Decision ExecGone(string execId, ProcessExit? exit, DateTimeOffset now)
    {
        if (View!.Find(execId) is not { } exec) return Decision.Nothing;
        return Decision.Accept([new ExecDeleted(execId, now)], [])
            .AndAnswer(DeleteOf(execId), exec.Exit ?? exit ?? new ProcessExit(exec.Pid, 0, now))
            .AndAnswer(WaitOf(execId), exec.Exit is { } known ? known : new Rejected(MissingExec(execId)));
    }

    private Decision Gone(bool isShimDead, ProcessExit? exit, DateTimeOffset now)
    {
        var init = View!.Init;
        var last = init.Exit ?? exit ?? new ProcessExit(init.Pid, 0, now);
        var decision = Decision.Accept([new TaskDeleted(isShimDead, now)], []).AndAnswer(DeleteOf(""), last).AndAnswer(WaitOf(""), last);
        foreach (var exec in View.Execs.Values)
            decision = decision.AndAnswer(WaitOf(exec.ExecId), exec.Exit is { } known ? known : new Rejected(MissingExec(exec.ExecId)));
        return decision;
    }
}
