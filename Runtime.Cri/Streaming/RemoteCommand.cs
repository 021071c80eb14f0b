using System.Threading.Channels;
using Runtime.Actors.Tasks;
using Runtime.Faults;

namespace Runtime.Cri.Streaming;

/// <summary>Connects a client's streams to a process, until the process ends or the client goes.</summary>
internal sealed class RemoteCommand(CommandTicket ticket, RemoteProtocol protocol, CommandStreams client)
{
    private readonly TerminalSizes? _sizes = client.Resize is null ? null : new();

    /// <summary>
    /// 1. sizes are taken from the start on, 2. the process is started or attached, 3. bytes move, 4. the outcome is told.
    /// </summary>
    /// <param name="gone">The client's connection has ended: an exec is killed, an attach is let go.</param>
    public async Task RunAsync(CancellationToken gone)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(gone);
        var sizes = ReadSizesAsync(over.Token);
        CommandStatus status;
        try
        {
            await using var session = await ticket.Open(gone);
            status = await MoveAsync(session, over, gone);
        }
        catch (FaultException refused)
        {
            status = CommandStatus.Failed(refused.Fault);
        }
        finally
        {
            await over.CancelAsync();
            await sizes;
        }
        await TellAsync(status, gone);
    }

    private async Task<CommandStatus> MoveAsync(IProcessSession session, CancellationTokenSource over, CancellationToken gone)
    {
        var input = ReadInputAsync(session.Stdin, over.Token);
        var sizes = ResizeAsync(session, over.Token);
        var outputs = Task.WhenAll(
            WriteOutputAsync(session.Stdout, client.Stdout, over.Token, gone),
            WriteOutputAsync(session.Stderr, client.Stderr, over.Token, gone));
        try
        {
            var exit = session.WaitAsync(gone);
            // Who only writes to a container is done when it has written.
            var endsWithInput = ticket.EndsWithStdin || (!ticket.IsExec && session.Stdout is null && session.Stderr is null);
            // A client that cannot be written to any more is an end too.
            await await Task.WhenAny(exit, endsWithInput ? input : outputs);
            if (!endsWithInput) await exit;
            // What was read is on its way to the client; a stream that a child keeps open is left to it.
            await over.CancelAsync();
            await outputs;
            return ticket.IsExec ? CommandStatus.Exited(await exit) : CommandStatus.Success;
        }
        finally
        {
            await over.CancelAsync();
            await Task.WhenAll(input, sizes, outputs).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // The process may close its end first, and the client may give up its own: neither ends the other streams.
    private async Task ReadInputAsync(Stream? stdin, CancellationToken cancellation)
    {
        if (client.Stdin is not { } from) return;
        try
        {
            if (stdin is null) return;
            await StreamPump.FromClientAsync(from, stdin, cancellation);
        }
        catch (Exception end) when (end is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // Without more input, the process goes on as it likes.
        }
        finally
        {
            await from.Input.CompleteAsync();
            if (stdin is not null) await stdin.DisposeAsync();
        }
    }

    private static async Task WriteOutputAsync(
        Stream? output, ClientStream? to, CancellationToken reading, CancellationToken gone)
    {
        if (to is null) return;
        if (output is null)
        {
            await to.FinishAsync(gone);
            return;
        }
        try
        {
            await StreamPump.ToClientAsync(output, to, reading, gone);
        }
        catch (ClientStreamResetException)
        {
            // The client wants no more of this one; the process must not wait for it.
            await DropAsync(output, reading, gone);
        }
        catch (StreamSourceException)
        {
            // What the session says at its end is what counts.
            await to.FinishAsync(gone);
        }
    }

    private static async Task DropAsync(Stream output, CancellationToken reading, CancellationToken gone)
    {
        try
        {
            await output.CopyToAsync(Stream.Null, reading);
        }
        catch (OperationCanceledException) when (!gone.IsCancellationRequested)
        {
            // The process is over.
        }
    }

    private async Task ReadSizesAsync(CancellationToken cancellation)
    {
        if (client.Resize is not { } resize || _sizes is null) return;
        try
        {
            var stream = await resize.WaitAsync(cancellation);
            await _sizes.ReadAsync(stream, cancellation);
        }
        catch (Exception end) when (end is OperationCanceledException or IOException)
        {
            // No more sizes: the session is over, or the client has closed this stream.
        }
    }

    private async Task ResizeAsync(IProcessSession session, CancellationToken cancellation)
    {
        if (_sizes is null) return;
        try
        {
            await foreach (var size in _sizes.Newest.ReadAllAsync(cancellation))
                await session.ResizeAsync(size.Width, size.Height, cancellation);
        }
        catch (Exception end) when (end is OperationCanceledException or ChannelClosedException or FaultException)
        {
            // There is no terminal, or no process any more: what it says at its end is what counts.
        }
    }

    private async Task TellAsync(CommandStatus status, CancellationToken gone)
    {
        if (client.Stdout is not null) await client.Stdout.FinishAsync(gone);
        if (client.Stderr is not null) await client.Stderr.FinishAsync(gone);
        if (status.ToBytes(protocol) is { Length: > 0 } told) await client.Error.WriteAsync(told, gone);
        await client.Error.FinishAsync(gone);
    }
}
