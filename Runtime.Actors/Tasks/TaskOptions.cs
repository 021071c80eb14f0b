namespace Runtime.Actors.Tasks;

/// <summary>Limits of running tasks.</summary>
public sealed record TaskOptions
{
    /// <summary>A log line that is longer is split. <c>max_container_log_line_size</c>; 0: not split.</summary>
    public int LogLineBytesMax { get; init; } = 16 * 1024;

    /// <summary>Size at which the shim turns a log over that nobody rotates. 0: never.</summary>
    public long LogBytesMax { get; init; }

    /// <summary>How long a killed process may take to be gone: it can be in an uninterruptible system call.</summary>
    public TimeSpan KillTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long output is read on after an exec's exit, when a child of it keeps the stream open. <c>drain_exec_sync_io_timeout</c>.</summary>
    public TimeSpan ExecDrainTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>After this, a session that nobody has touched disposes itself: its caller had gone when it opened.</summary>
    public TimeSpan SessionClaimTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long an attached container may take to exit once its output has ended.</summary>
    public TimeSpan AttachExitTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Bytes of each stream that ExecSync keeps; the rest is read and dropped.</summary>
    public int ExecOutputBytesMax { get; init; } = 16 * 1024 * 1024;

    /// <summary>Pause before a shim that lives but does not answer is asked again.</summary>
    public TimeSpan RetryPause { get; init; } = TimeSpan.FromSeconds(1);
}
