using Runtime.Shim.Loops;
using Runtime.Shim.Rpc;
using Runtime.Shim.Streams;

namespace Runtime.Shim.Tasks;

internal enum ProcessPhase
{
    /// <summary>The OCI runtime is at work on it, or it is an exec that was only added.</summary>
    New,
    Created,
    Running,

    /// <summary>Ended and reaped; its output is still being copied.</summary>
    Draining,
    Stopped,
}

/// <summary>The init process of a container, or an exec in it.</summary>
internal sealed class ContainerProcess(string execId, StreamTargets targets)
{
    private ExecConnections? _connections;

    public string ExecId => execId;

    public bool IsInit => execId.Length == 0;

    public StreamTargets Targets => targets;

    public ProcessPhase Phase { get; set; }

    /// <summary>0 while it has none.</summary>
    public int Pid { get; set; }

    public int ExitCode { get; set; }

    public DateTimeOffset? ExitedAt { get; set; }

    /// <summary>Killed by SIGKILL: with a grown counter, that was the OOM killer.</summary>
    public bool WasKilled { get; set; }

    public ProcessStreams? Streams { get; set; }

    /// <summary>The program that takes its output; null for none.</summary>
    public LoggerProcess? Logger { get; set; }

    /// <summary>Of an exec.</summary>
    public ExecConnections Connections => _connections ??= new();

    /// <summary>Nobody waits for the exec: it is killed, and forgotten when it has ended.</summary>
    public bool IsAbandoned { get; set; }

    /// <summary>Of a terminal that is asked for before there is one; null for none.</summary>
    public (uint Width, uint Height)? Size { get; set; }

    /// <summary>The exec's <c>process</c> object; dropped when it is started.</summary>
    public ReadOnlyMemory<byte> Spec { get; set; }

    /// <summary>While its start is under way, its exit must not be told: an exit follows its start.</summary>
    public bool IsStarting { get; set; }

    public Linux.Processes.ChildExit? HeldExit { get; set; }

    /// <summary>Of an exec: what drops it, until it is started or somebody has connected to its output.</summary>
    public EventLoop.Timer? Unclaimed { get; set; }

    /// <summary>Calls of Wait.</summary>
    public List<Call> Waiting { get; } = [];

    /// <summary>Calls of Delete that came while it was ending.</summary>
    public List<Action> AfterExit { get; } = [];

    public void Claim()
    {
        if (Unclaimed is { } unclaimed)
            unclaimed.IsCancelled = true;
        Unclaimed = null;
    }

    public bool HasLivePid => Pid > 0 && Phase is ProcessPhase.Created or ProcessPhase.Running;
}
