using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Tasks;

namespace Runtime.Actors.Containers;

/// <summary>Every command about a container. Failures answer <see cref="Rejected"/>.</summary>
public interface IContainerCommand : IEntityCommand;

/// <summary>
/// Creates a container in a sandbox; answers <see cref="ContainerCreated"/>. Joinable by sandbox, name and attempt, as
/// RunSandbox is by its own key: <paramref name="EntityId"/> is the id that a new one would get.
/// </summary>
public sealed record CreateContainer(NamespaceName Space, string EntityId, string SandboxId, ContainerConfig Config)
    : IContainerCommand;

public sealed record ContainerCreated(string ContainerId);

/// <summary>Starts a created container; answers <see cref="ContainerStarted"/>.</summary>
public sealed record StartContainer(NamespaceName Space, string EntityId) : IContainerCommand;

public sealed record ContainerStarted(string ContainerId);

/// <summary>
/// Sends the stop signal, waits <paramref name="Grace"/>, then kills. Answers <see cref="ContainerStopped"/> once it has
/// exited; at once for an unknown id or one that does not run.
/// </summary>
public sealed record StopContainer(NamespaceName Space, string EntityId, TimeSpan Grace) : IContainerCommand;

public sealed record ContainerStopped(string ContainerId);

/// <summary>Kills if it runs, and removes it. Answers <see cref="ContainerRemoved"/>, also for an unknown id.</summary>
public sealed record RemoveContainer(NamespaceName Space, string EntityId) : IContainerCommand;

public sealed record ContainerRemoved(string ContainerId);

/// <summary>
/// Changes the cgroup limits of a created or running container; answers <see cref="ContainerUpdated"/>. Where the OCI runtime
/// refuses, everything is as before.
/// </summary>
/// <param name="UpdateId">A new id, made at the edge.</param>
/// <param name="Resources">What is not set (0, empty) keeps its value. The OOM score is not a cgroup's: it stays.</param>
public sealed record UpdateContainer(NamespaceName Space, string EntityId, string UpdateId, ContainerResources Resources)
    : IContainerCommand;

public sealed record ContainerUpdated(string ContainerId);

/// <summary>Runs a command in a running container and answers <see cref="ExecSyncResult"/>.</summary>
/// <param name="ExecId">A new id, made at the edge.</param>
/// <param name="Timeout">Zero: none. Past it the whole process group is killed and the answer is DeadlineExceeded.</param>
public sealed record ExecSync(
    NamespaceName Space, string EntityId, string ExecId, ImmutableArray<string> Command, TimeSpan Timeout)
    : IContainerCommand;

/// <summary>Output is cut at 16 MiB per stream, as containerd cuts it.</summary>
public sealed record ExecSyncResult(int ExitCode, ReadOnlyMemory<byte> Stdout, ReadOnlyMemory<byte> Stderr);

/// <summary>Runs a command in a running container, with streams; answers <see cref="SessionOpened"/> once it runs.</summary>
/// <param name="ExecId">A new id, made at the edge.</param>
/// <param name="Terminal">Its stdin and stdout are a terminal; then there is no stderr.</param>
public sealed record OpenExec(
    NamespaceName Space, string EntityId, string ExecId, ImmutableArray<string> Command, bool Stdin, bool Stdout, bool Stderr,
    bool Terminal) : IContainerCommand;

/// <summary>
/// Joins the streams of a running container's first process from here on; answers <see cref="SessionOpened"/>. Several can
/// be attached.
/// </summary>
/// <param name="SessionId">A new id, made at the edge.</param>
/// <param name="Stdin">Refused (FailedPrecondition, <c>attach.no-stdin</c>) where the container has none.</param>
/// <param name="Terminal">Whether the container has one counts, not what is said here.</param>
public sealed record OpenAttach(
    NamespaceName Space, string EntityId, string SessionId, bool Stdin, bool Stdout, bool Stderr, bool Terminal) : IContainerCommand;

/// <param name="Session">Now the caller's, who disposes it.</param>
public sealed record SessionOpened(IProcessSession Session);

/// <summary>
/// Writes a running container's state to an archive; answers <see cref="ContainerCheckpointed"/>. FailedPrecondition with
/// CRIU's reason where the node cannot.
/// </summary>
/// <param name="CheckpointId">A new id, made at the edge.</param>
/// <param name="Location">Absolute path of the archive.</param>
/// <param name="Status">CRI's status of it as JSON, for the archive.</param>
public sealed record CheckpointContainer(
    NamespaceName Space, string EntityId, string CheckpointId, string Location, ReadOnlyMemory<byte> Status) : IContainerCommand;

public sealed record ContainerCheckpointed(string ContainerId);

/// <summary>Makes the shim write to a new log file at the same path. Answers <see cref="LogReopened"/> once it does.</summary>
public sealed record ReopenLog(NamespaceName Space, string EntityId) : IContainerCommand;

public sealed record LogReopened(string ContainerId);
