using System.Buffers;

namespace Runtime.Cri.Streaming;

/// <summary>Moves bytes between a client's stream and a process or socket, at the pace of the slower one.</summary>
internal static class StreamPump
{
    /// <summary>For a stream that says little.</summary>
    private const int SmallBytes = 4 * 1024;

    /// <summary>For one that fills it: fewer calls and frames.</summary>
    private const int LargeBytes = 32 * 1024;

    /// <summary>Until the client's end of the stream.</summary>
    /// <exception cref="ClientStreamResetException">The client gave it up.</exception>
    /// <exception cref="IOException">Either side broke off.</exception>
    public static async Task FromClientAsync(ClientStream from, Stream to, CancellationToken cancellation)
    {
        Exception? failure = null;
        try
        {
            while (true)
            {
                var read = await from.Input.ReadAsync(cancellation);
                var buffer = read.Buffer;
                foreach (var piece in buffer) await to.WriteAsync(piece, cancellation);
                var length = buffer.Length;
                from.Input.AdvanceTo(buffer.End);
                await from.ConsumedAsync(length, cancellation);
                if (read.IsCompleted) return;
            }
        }
        catch (Exception cause)
        {
            failure = cause;
            throw;
        }
        finally
        {
            // What still comes is dropped: nobody reads it.
            await from.Input.CompleteAsync(failure);
        }
    }

    /// <summary>Until the source's end; the client's stream is finished then.</summary>
    /// <param name="reading">Ends the reading, and the stream with it, as if the source had ended.</param>
    /// <param name="cancellation">Ends everything.</param>
    /// <exception cref="StreamSourceException">The source broke off.</exception>
    /// <exception cref="IOException">The client did.</exception>
    public static async Task ToClientAsync(
        Stream from, ClientStream to, CancellationToken reading, CancellationToken cancellation)
    {
        var size = SmallBytes;
        while (true)
        {
            // Nothing is held while a quiet source is waited for.
            if (size == SmallBytes) await ReadAsync(from, Memory<byte>.Empty, reading, cancellation);
            var buffer = ArrayPool<byte>.Shared.Rent(size);
            try
            {
                var count = await ReadAsync(from, buffer.AsMemory(0, size), reading, cancellation);
                if (count == 0) break;
                await to.WriteAsync(buffer.AsMemory(0, count), cancellation);
                size = count == size ? LargeBytes : SmallBytes;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
        await to.FinishAsync(cancellation);
    }

    private static async ValueTask<int> ReadAsync(
        Stream from, Memory<byte> buffer, CancellationToken reading, CancellationToken cancellation)
    {
        try
        {
            return await from.ReadAsync(buffer, reading);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return 0;
        }
        catch (IOException broken)
        {
            throw new StreamSourceException(broken);
        }
    }
}

/// <summary>Not the client's side has broken off, but what was read for it.</summary>
internal sealed class StreamSourceException(IOException cause) : IOException(cause.Message, cause);
