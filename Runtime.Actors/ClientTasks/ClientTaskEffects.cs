using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Shims;

namespace Runtime.Actors.ClientTasks;

/// <summary>Which task an effect is about.</summary>
/// <param name="Bundle">Directory.</param>
public sealed record ClientTaskPlan(NamespaceName Space, string Id, string Bundle);

/// <summary>Writes the bundle, starts the shim and has it set up the first process. Outcome: its pid.</summary>
public sealed record SetUpTask(ClientTaskPlan Plan, TaskRecipe Recipe) : IEffect;

/// <summary>Has the shim set up an exec.</summary>
public sealed record SetUpExec(ClientTaskPlan Plan, string ExecId, ReadOnlyMemory<byte> SpecJson, ProcessIo Io) : IEffect;

/// <summary>Outcome: the pid.</summary>
public sealed record RunProcess(ClientTaskPlan Plan, string ExecId) : IEffect;

/// <summary>Waits for the end of a process. Outcome: <see cref="ProcessEnd"/>.</summary>
public sealed record WatchProcess(ClientTaskPlan Plan, string ExecId) : IEffect;

/// <param name="Cause">Why the code is not known; empty when it is.</param>
public sealed record ProcessEnd(ProcessExit Exit, string Cause, bool IsShimDead);

/// <summary>Asks the shim about a process. Outcome: <see cref="ProcessState"/>.</summary>
/// <param name="DeletesEnded">A caller waits for its deletion, which goes on if it has ended.</param>
public sealed record ObserveProcess(ClientTaskPlan Plan, string ExecId, bool DeletesEnded = false) : IEffect;

/// <summary>Outcome: the call's own, null for none.</summary>
public sealed record RunTaskCall(ClientTaskPlan Plan, string CallId, TaskCall Call) : IEffect;

/// <summary>Has the shim forget an exec that has ended or never ran. Outcome: <see cref="ProcessExit"/>, null when it was forgotten.</summary>
public sealed record RemoveExec(ClientTaskPlan Plan, string ExecId) : IEffect;

/// <summary>Has the shim forget the task and end, and removes the bundle. Outcome: <see cref="TaskRemoval"/>.</summary>
public sealed record RemoveTask(ClientTaskPlan Plan) : IEffect;

/// <param name="Exit">Null when the shim did not know it any more.</param>
public sealed record TaskRemoval(ProcessExit? Exit, bool IsShimDead);

/// <summary>Kills and removes whatever there is of it.</summary>
public sealed record DestroyTask(ClientTaskPlan Plan) : IEffect;

/// <summary>Lets a while pass before a removal is tried again.</summary>
public sealed record AwaitTaskRetry : IEffect;
