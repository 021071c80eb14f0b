using System.Collections.Immutable;
using System.Net.Sockets;
using Runtime.Faults;
using Runtime.Linux.Mounts;
using Runtime.Ttrpc.Actord;
using Runtime.Ttrpc.Tasks;
using Runtime.Ttrpc.Wire;

namespace Runtime.Actors.Shims;

/// <summary>
/// One shim: the task service (v3 or v2) for its containers, the sandbox service for its pod. Every call is a request to
/// another process, with the caller's deadline; faults carry the shim's own status.
/// </summary>
/// <exception cref="FaultException">NotFound for an unknown task or exec, Unavailable (<c>shim.dead</c>) for a dead shim.</exception>
public interface IShim
{
    /// <summary>True for our own shim: it writes CRI logs itself and serves pods without a pause process.</summary>
    bool IsNative { get; }

    Task<uint> CreateAsync(TaskCreate create, CancellationToken cancellation);

    /// <summary>Starts the init process, or an exec where <paramref name="execId"/> is not empty. Answers its pid.</summary>
    Task<uint> StartAsync(string id, string execId, CancellationToken cancellation);

    Task ExecAsync(ExecCreate exec, CancellationToken cancellation);

    Task KillAsync(string id, string execId, uint signal, bool all, CancellationToken cancellation);

    /// <summary>Waits, as long as it takes, for the exit of the init process or an exec.</summary>
    Task<ProcessExit> WaitAsync(string id, string execId, CancellationToken cancellation);

    Task<ProcessState> StateAsync(string id, string execId, CancellationToken cancellation);

    /// <summary>Removes an exited process, or one that was only created, and answers its exit.</summary>
    Task<ProcessExit> DeleteAsync(string id, string execId, CancellationToken cancellation);

    /// <summary>Every process of the container.</summary>
    Task<ImmutableArray<TaskProcess>> ProcessesAsync(string id, CancellationToken cancellation);

    Task PauseAsync(string id, CancellationToken cancellation);

    Task ResumeAsync(string id, CancellationToken cancellation);

    /// <summary>Applies resources: the JSON of the runtime spec's <c>linux.resources</c>, in an Any.</summary>
    /// <param name="annotations">For shims that know what to do with them.</param>
    Task UpdateAsync(
        string id, WireAny resources, ImmutableSortedDictionary<string, string> annotations, CancellationToken cancellation);

    /// <summary>Has CRIU dump a container into an empty directory; takes as long as its memory is large.</summary>
    /// <param name="options">Of the runtime; null for none.</param>
    Task CheckpointAsync(string id, string directory, WireAny? options, CancellationToken cancellation);

    Task ResizeAsync(string id, string execId, uint width, uint height, CancellationToken cancellation);

    Task CloseStdinAsync(string id, string execId, CancellationToken cancellation);

    /// <summary>cgroup metrics: type URL (v1 or v2) and protobuf bytes.</summary>
    Task<(string TypeUrl, ReadOnlyMemory<byte> Value)> StatsAsync(string id, CancellationToken cancellation);

    /// <summary>
    /// Native shims only: a connection that is a stream of an exec that is to be started (its target is
    /// <see cref="StreamConnection.Target"/>), or of a container that runs.
    /// </summary>
    Task<Socket> OpenStreamAsync(OpenStreamRequest request, CancellationToken cancellation);

    /// <summary>Native shims only: writes on in a new file at the log's path.</summary>
    Task ReopenLogAsync(string id, CancellationToken cancellation);

    /// <summary>Native shims only: makes the pod known (containerd.runtime.sandbox.v1, CreateSandbox).</summary>
    Task CreateSandboxAsync(SandboxCreate create, CancellationToken cancellation);

    /// <summary>Parks a thread in the pod's network, or starts pid 1 of a shared pid namespace; answers that id.</summary>
    Task<uint> StartSandboxAsync(string sandboxId, CancellationToken cancellation);

    /// <summary>Waits until the sandbox is stopped or its pid 1 is dead.</summary>
    Task<ProcessExit> WaitSandboxAsync(string sandboxId, CancellationToken cancellation);

    Task StopSandboxAsync(string sandboxId, TimeSpan timeout, CancellationToken cancellation);

    /// <summary>Ends the shim. It refuses (FailedPrecondition) while it holds containers, unless <paramref name="now"/>.</summary>
    Task ShutdownAsync(string id, bool now, CancellationToken cancellation);
}

/// <summary>The init process of a container, to be created in its bundle.</summary>
/// <param name="Stdin">FIFO path, or <see cref="StreamConnection.Target"/> with a native shim; empty for none.</param>
/// <param name="Stdout">As stdin, or <c>cri://PATH?...</c> for a log that a native shim writes.</param>
public sealed record TaskCreate(
    string Id, string Bundle, ImmutableArray<MountSpec> Rootfs, string Stdin, string Stdout, string Stderr, bool Terminal,
    RuncOptions Options)
{
    /// <summary>In the place of <see cref="Options"/>; null: those.</summary>
    public ShimOptionsGiven? Given { get; init; }

    /// <summary>Directory of a checkpoint that is restored; empty for none.</summary>
    public string Checkpoint { get; init; } = "";
}

/// <param name="SpecJson">The runtime spec's <c>process</c> object.</param>
public sealed record ExecCreate(
    string Id, string ExecId, ReadOnlyMemory<byte> SpecJson, string Stdin, string Stdout, string Stderr, bool Terminal);

/// <param name="Code">As a shell reports it: 128 + signal for a killed process; 255 when it is not known.</param>
/// <param name="At">When it ended.</param>
public sealed record ProcessExit(uint Pid, uint Code, DateTimeOffset At);

/// <summary>Values are containerd.v1.types.Status.</summary>
public enum ProcessStatus
{
    Unknown = 0,
    Created = 1,
    Running = 2,
    Stopped = 3,
    Paused = 4,
    Pausing = 5,
}

/// <param name="Exit">Null while it has not exited.</param>
public sealed record ProcessState(string Id, string ExecId, uint Pid, ProcessStatus Status, ProcessExit? Exit);

/// <summary>A pod without a pause process.</summary>
/// <param name="NetworkNamespacePath">Empty on the host's network.</param>
/// <param name="SharedPidNamespace">Start a pid 1 that reaps, in a new pid namespace.</param>
/// <param name="IpcNamespacePath">Joined by pid 1; empty for the host's.</param>
/// <param name="UtsNamespacePath">Joined by pid 1; empty for the host's.</param>
/// <param name="CgroupPath">The pod's leaf, relative to each hierarchy's root; pid 1 is put into it.</param>
public sealed record SandboxCreate(
    string SandboxId, string Bundle, string NetworkNamespacePath, bool SharedPidNamespace, string IpcNamespacePath,
    string UtsNamespacePath, string CgroupPath)
{
    /// <summary>Owns the other namespaces; empty for the host's.</summary>
    public string UserNamespacePath { get; init; } = "";
}
