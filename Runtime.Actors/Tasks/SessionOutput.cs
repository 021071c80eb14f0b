using System.Net.Sockets;

namespace Runtime.Actors.Tasks;

/// <summary>An output of a process, read through its connection. Disposing it is nothing yet: the session holds the connection.</summary>
internal sealed class SessionOutput(Socket socket, TimeProvider clock) : Stream
{
    private readonly NetworkStream _stream = new(socket, FileAccess.Read, ownsSocket: true);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _cameAt = clock.GetTimestamp();
    private int _reading;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>
    /// Waits until its reader has seen its end, or has waited for <paramref name="silence"/> in vain: something else than the
    /// process holds it open. A reader that takes its time is waited for.
    /// </summary>
    public async Task EndAsync(TimeSpan silence, CancellationToken cancellation)
    {
        if (silence == Timeout.InfiniteTimeSpan)
        {
            await _ended.Task.WaitAsync(cancellation);
            return;
        }
        while (true)
        {
            var left = silence - clock.GetElapsedTime(Volatile.Read(ref _cameAt));
            if (left <= TimeSpan.Zero && Volatile.Read(ref _reading) > 0) return;
            try
            {
                await _ended.Task.WaitAsync(left > TimeSpan.Zero ? left : silence, clock, cancellation);
                return;
            }
            catch (TimeoutException)
            {
                // Something may have come meanwhile.
            }
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // The silence is that of a reader that waits.
        if (Interlocked.Increment(ref _reading) == 1) Volatile.Write(ref _cameAt, clock.GetTimestamp());
        try
        {
            var count = await _stream.ReadAsync(buffer, cancellationToken);
            if (count == 0 && buffer.Length > 0) _ended.TrySetResult();
            return count;
        }
        catch (Exception end) when (end is IOException or ObjectDisposedException)
        {
            _ended.TrySetResult();
            throw;
        }
        finally
        {
            Interlocked.Decrement(ref _reading);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("It would hold a thread; read asynchronously.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>The session's end: a read under way fails.</summary>
    public void Disconnect()
    {
        _stream.Dispose();
        _ended.TrySetResult();
    }
}
