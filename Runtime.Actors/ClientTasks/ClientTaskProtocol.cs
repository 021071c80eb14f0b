using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Shims;
using Runtime.Linux.Mounts;
using Runtime.Ttrpc.Tasks;
using Runtime.Ttrpc.Wire;

namespace Runtime.Actors.ClientTasks;

/// <summary>
/// Every command about the task of a container record; the entity's id is the record's. Failures answer <see cref="Rejected"/>.
/// An empty exec id is the first process.
/// </summary>
public interface IClientTaskCommand : IEntityCommand;

/// <summary>Sets up the first process, not yet running; answers <see cref="TaskCreated"/>. AlreadyExists while there is a task.</summary>
/// <param name="Bundle">Directory that is made for it.</param>
public sealed record CreateTask(NamespaceName Space, string EntityId, string Bundle, TaskRecipe Recipe) : IClientTaskCommand;

public sealed record TaskCreated(uint Pid);

/// <summary>What a task is made of.</summary>
/// <param name="Runtime">A runtime type, or the absolute path of a shim.</param>
/// <param name="Options">For the shim; null for none.</param>
/// <param name="SpecJson">The OCI runtime spec, which becomes the bundle's config.json.</param>
/// <param name="Rootfs">Mounted by the shim at the bundle's <c>rootfs</c>.</param>
/// <param name="Checkpoint">Directory of a checkpoint that is restored; empty for none.</param>
public sealed record TaskRecipe(
    string Runtime, WireAny? Options, ReadOnlyMemory<byte> SpecJson, ImmutableArray<MountSpec> Rootfs, ProcessIo Io, string Checkpoint);

/// <summary>Paths of FIFOs, or URIs that the shim understands; empty for none.</summary>
public sealed record ProcessIo(string Stdin, string Stdout, string Stderr, bool Terminal)
{
    public static readonly ProcessIo None = new("", "", "", false);
}

/// <summary>Runs what was set up; answers <see cref="ProcessStarted"/>.</summary>
public sealed record StartProcess(NamespaceName Space, string EntityId, string ExecId) : IClientTaskCommand;

public sealed record ProcessStarted(uint Pid);

/// <summary>Sets up a further process, not yet running; answers <see cref="ExecCreated"/>.</summary>
/// <param name="SpecJson">The runtime spec's <c>process</c> object.</param>
public sealed record CreateExec(NamespaceName Space, string EntityId, string ExecId, ReadOnlyMemory<byte> SpecJson, ProcessIo Io)
    : IClientTaskCommand;

public sealed record ExecCreated(string ExecId);

/// <summary>Removes what does not run; answers its <see cref="ProcessExit"/>. FailedPrecondition for what runs.</summary>
public sealed record DeleteProcess(NamespaceName Space, string EntityId, string ExecId) : IClientTaskCommand;

/// <summary>Answers its <see cref="ProcessExit"/> once it has ended.</summary>
public sealed record WaitProcess(NamespaceName Space, string EntityId, string ExecId) : IClientTaskCommand;

/// <summary>Answers a <see cref="ClientProcess"/> as the shim knows it now.</summary>
public sealed record GetProcess(NamespaceName Space, string EntityId, string ExecId) : IClientTaskCommand;

/// <summary>Passes a call on to the shim; answers what the call says.</summary>
/// <param name="CallId">A new id, made at the edge.</param>
public sealed record CallTask(NamespaceName Space, string EntityId, string CallId, TaskCall Call) : IClientTaskCommand;

/// <summary>A call whose truth is the shim's alone; answers <see cref="TaskCallDone"/> unless it says otherwise.</summary>
/// <param name="ExecId">The process that it is about.</param>
public abstract record TaskCall(string ExecId);

public sealed record TaskCallDone
{
    public static readonly TaskCallDone Instance = new();
}

/// <param name="All">Every process of the container.</param>
public sealed record KillCall(string ExecId, uint Signal, bool All) : TaskCall(ExecId);

/// <summary>In characters.</summary>
public sealed record ResizeCall(string ExecId, uint Width, uint Height) : TaskCall(ExecId);

public sealed record CloseStdinCall(string ExecId) : TaskCall(ExecId);

public sealed record PauseCall() : TaskCall("");

public sealed record ResumeCall() : TaskCall("");

/// <param name="Resources">JSON of the runtime spec's <c>linux.resources</c>, in an Any.</param>
public sealed record UpdateCall(WireAny Resources, ImmutableSortedDictionary<string, string> Annotations) : TaskCall("");

/// <summary>Answers <see cref="TaskPids"/>.</summary>
public sealed record PidsCall() : TaskCall("");

public sealed record TaskPids(ImmutableArray<TaskProcess> Processes);

/// <summary>Answers <see cref="TaskStats"/>.</summary>
public sealed record StatsCall() : TaskCall("");

/// <summary>cgroup metrics as the shim wrote them.</summary>
public sealed record TaskStats(WireAny Metrics);

/// <summary>Writes the processes' state (CRIU) into a directory.</summary>
/// <param name="Options">For the shim; null for none.</param>
public sealed record CheckpointCall(string Directory, WireAny? Options) : TaskCall("");
