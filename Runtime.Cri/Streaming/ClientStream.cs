using System.IO.Pipelines;

namespace Runtime.Cri.Streaming;

/// <summary>
/// One stream of a client's connection: bytes both ways, each with an end of its own. What comes waits in a bounded buffer;
/// while that is full, the connection is not read, so that a slow process slows its client and nothing grows here.
/// </summary>
internal abstract class ClientStream
{
    /// <summary>Bytes at which the connection is no longer read: above the window that a peer which keeps windows may fill.</summary>
    private const int PauseAt = 128 * 1024;

    private const int ResumeAt = 64 * 1024;

    private static readonly PipeOptions Limits = new(
        pauseWriterThreshold: PauseAt, resumeWriterThreshold: ResumeAt, minimumSegmentSize: 4096, useSynchronizationContext: false);

    // Made when it is needed: most streams only carry output.
    private Pipe? _input;

    /// <summary>
    /// What the client sends. Reading fails with <see cref="ClientStreamResetException"/> after a reset, and with another
    /// IOException when the connection ends before the stream. Who does not want the rest completes it: the rest is dropped.
    /// </summary>
    public PipeReader Input => Buffer.Reader;

    /// <summary>The connection's end of <see cref="Input"/>.</summary>
    protected internal PipeWriter Received => Buffer.Writer;

    private Pipe Buffer => LazyInitializer.EnsureInitialized(ref _input, static () => new Pipe(Limits));

    /// <summary>Waits while the client does not read.</summary>
    /// <exception cref="IOException">The client does not want more of this stream, or is gone.</exception>
    public abstract ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellation);

    /// <summary>No more will be written. What the client sends goes on. Repeatable.</summary>
    public abstract ValueTask FinishAsync(CancellationToken cancellation);

    /// <summary>Ends both directions now; what is on its way may be lost. Without effect on an ended stream.</summary>
    public abstract ValueTask ResetAsync(CancellationToken cancellation);

    /// <summary>That many bytes of the input were used: their room is the client's again.</summary>
    public virtual ValueTask ConsumedAsync(long count, CancellationToken cancellation) => ValueTask.CompletedTask;
}

/// <summary>The client gave up one stream; its connection goes on.</summary>
internal sealed class ClientStreamResetException() : IOException("The client has reset the stream.");
