using System.Collections.Immutable;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Shims;
using Runtime.Linux.Mounts;

namespace Runtime.Actors.Tasks;

/// <summary>Where one container's process runs: everything that a shim has to be told.</summary>
/// <param name="GroupId">The sandbox whose shim takes it in.</param>
/// <param name="SharesPids">Its first process does not take the others along when it dies, so all of the cgroup is killed.</param>
public sealed record TaskAddress(NamespaceName Space, string Id, string GroupId, string Bundle, bool SharesPids);

/// <param name="Rootfs">Mounted by the shim at <c>rootfs</c> of the bundle.</param>
/// <param name="LogPath">Absolute; empty for no log.</param>
public sealed record TaskStart(
    TaskAddress Task, RuntimeHandler Handler, ImmutableArray<MountSpec> Rootfs, string LogPath, bool Terminal, bool Stdin);

public sealed record TaskStarted(uint Pid, DateTimeOffset At);

/// <summary>How a task ended.</summary>
/// <param name="Code">128 + signal for a killed process; 255 when it is not known.</param>
/// <param name="Cause">Why it is not known; empty when it is.</param>
public sealed record TaskExit(int Code, DateTimeOffset At, bool OomKilled, string Cause);

/// <param name="ExecId">Unique for all time: it names files.</param>
public sealed record TaskExec(TaskAddress Task, string ExecId, ImmutableArray<string> Command, TimeSpan Timeout);

/// <summary>Which streams a session has.</summary>
public sealed record SessionStreams(bool Stdin, bool Stdout, bool Stderr, bool Terminal);

/// <param name="ClosesStdin">The end of this session's input is the end of the container's: stdin_once.</param>
/// <param name="ExitCode">How the container ended, for when its task is deleted already; null while that is not known.</param>
public sealed record TaskAttach(TaskAddress Task, SessionStreams Streams, bool ClosesStdin, Func<int?> ExitCode);
