using System.Collections.Immutable;
using Runtime.Actors.Shims;

namespace Runtime.Actors.ClientTasks;

public enum ClientProcessPhase
{
    /// <summary>The shim is setting it up.</summary>
    Requested,
    Created,
    Starting,
    Running,
    Paused,
    Stopped,
}

/// <summary>What lists and status calls see of a task.</summary>
public sealed record ClientTaskView
{
    /// <summary>The container record's.</summary>
    public required string Id { get; init; }

    /// <summary>A runtime type, or the path of a shim.</summary>
    public required string Runtime { get; init; }

    public required string Bundle { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required ClientProcess Init { get; init; }

    public ImmutableSortedDictionary<string, ClientProcess> Execs { get; init; } =
        ImmutableSortedDictionary.Create<string, ClientProcess>(StringComparer.Ordinal);

    /// <summary>Null for an unknown exec.</summary>
    public ClientProcess? Find(string execId) => execId.Length == 0 ? Init : Execs.GetValueOrDefault(execId);
}

/// <summary>The first process of a container, or an exec in it.</summary>
/// <param name="Exit">Kept until it is deleted.</param>
public sealed record ClientProcess(string ExecId, ProcessIo Io, ClientProcessPhase Phase, uint Pid, ProcessExit? Exit)
{
    public bool IsLive => Phase is ClientProcessPhase.Starting or ClientProcessPhase.Running or ClientProcessPhase.Paused;
}
