namespace Runtime.Actors.Tasks;

/// <summary>
/// The ends of a process' streams. Disposing detaches (attach), or kills what still runs and forgets it (exec).
/// </summary>
/// <remarks>
/// No end holds a thread, and none buffers more than its socket does: who does not read an exec's output stops the process, who
/// does not read an attached container's output is cut off. A session that nobody has taken up within half a minute disposes
/// itself: its caller had gone when it opened.
/// </remarks>
public interface IProcessSession : IAsyncDisposable
{
    /// <summary>
    /// Null where not asked for. Disposing it is the end of the process' input, once what was written is read; of an attached
    /// container's only with stdin_once. Writing fails with an IOException once nobody reads it any more.
    /// </summary>
    Stream? Stdin { get; }

    /// <summary>Null where not asked for. A terminal's only output.</summary>
    Stream? Stdout { get; }

    /// <summary>Null where not asked for, and with a terminal.</summary>
    Stream? Stderr { get; }

    /// <param name="width">Characters.</param>
    /// <param name="height">Lines.</param>
    /// <exception cref="Faults.FaultException">FailedPrecondition (<c>process.no-terminal</c>), or NotFound after its end.</exception>
    Task ResizeAsync(uint width, uint height, CancellationToken cancellation);

    /// <summary>
    /// The exit code, once the output streams have been read to their end. A child that keeps an exec's output open is waited for
    /// only as long as something comes (<see cref="TaskOptions.ExecDrainTimeout"/>).
    /// </summary>
    /// <exception cref="Faults.FaultException">
    /// FailedPrecondition (<c>attach.detached</c>): the attached container runs on, but its output ends here, mostly because it
    /// was not read fast enough. Unavailable (<c>shim.dead</c>).
    /// </exception>
    Task<int> WaitAsync(CancellationToken cancellation);
}
