namespace Runtime.Actors.Containers;

public enum ContainerPhase
{
    /// <summary>CreateContainer is under way; not yet listed by CRI.</summary>
    Creating,
    Created,
    Starting,
    Running,
    Exited,

    /// <summary>Removal has begun and goes on until it succeeds.</summary>
    Removing,

    /// <summary>Its truth could not be established.</summary>
    Unknown,
}

/// <summary>What lists and status calls see of a container.</summary>
public sealed record ContainerView
{
    /// <summary>64 hex digits.</summary>
    public required string Id { get; init; }

    public required string SandboxId { get; init; }

    public required ContainerConfig Config { get; init; }

    public required ContainerPhase Phase { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? FinishedAt { get; init; }

    public int ExitCode { get; init; }

    /// <summary>Completed, Error, OOMKilled, StartError, Unknown ...; empty while it has not exited.</summary>
    public string Reason { get; init; } = "";

    public string Message { get; init; } = "";

    /// <summary>Config digest.</summary>
    public string ImageId { get; init; } = "";

    /// <summary>First repo digest, or the image id.</summary>
    public string ImageRef { get; init; } = "";

    /// <summary>Absolute; empty for none.</summary>
    public string LogPath { get; init; } = "";

    /// <summary>0 unless running.</summary>
    public uint Pid { get; init; }

    public string Snapshotter { get; init; } = "";

    public string SnapshotKey { get; init; } = "";

    /// <summary>The handler of its sandbox.</summary>
    public string RuntimeHandler { get; init; } = "";

    /// <summary>The signal that StopContainer sends first: SIGTERM and the like.</summary>
    public string StopSignal { get; init; } = "SIGTERM";

    /// <summary>The effective user: uid, gid, supplemental gids of the first process.</summary>
    public ContainerUser? User { get; init; }
}

public sealed record ContainerUser(long Uid, long Gid, System.Collections.Immutable.ImmutableArray<long> Groups);
