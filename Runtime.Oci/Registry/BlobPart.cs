namespace Runtime.Oci.Registry;

/// <summary>One answer with a blob's bytes. Each read is bounded; after a failed or cancelled one only Dispose is left.</summary>
/// <param name="rangeHonoured">The answer started at the byte that was asked for.</param>
internal sealed class BlobPart(
    HttpResponseMessage response, Stream body, string host, bool rangeHonoured, RetryPolicy retries) : IDisposable
{
    private readonly CancellationTokenSource _abort = new();

    public string Host => host;

    public bool RangeHonoured => rangeHonoured;

    /// <summary>What happens between reads is not the server's fault and does not count as stalling.</summary>
    /// <exception cref="IOException">The connection was cut, or brought nothing for the stall timeout.</exception>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var pending = body.ReadAsync(buffer, _abort.Token);
        // Most reads find their bytes in the socket: no timer for those.
        if (pending.IsCompleted) return await pending;
        var reading = pending.AsTask();
        try
        {
            return await reading.WaitAsync(retries.Options.StallTimeout, retries.Clock, cancellation);
        }
        catch (Exception waited) when (waited is TimeoutException || cancellation.IsCancellationRequested)
        {
            // The read still owns the buffer: it must end before anybody else uses it.
            await _abort.CancelAsync();
            await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (waited is not TimeoutException) throw;
            throw new IOException($"No byte came for {retries.Options.StallTimeout.TotalSeconds:0} s.", waited);
        }
    }

    /// <exception cref="IOException">As <see cref="ReadAsync"/>, or the answer ended.</exception>
    public async Task SkipAsync(long count, CancellationToken cancellation)
    {
        var buffer = new byte[64 * 1024];
        while (count > 0)
        {
            var read = await ReadAsync(buffer.AsMemory(0, (int)Math.Min(count, buffer.Length)), cancellation);
            if (read == 0) throw new IOException("The answer ended early.");
            count -= read;
        }
    }

    public void Dispose()
    {
        response.Dispose();
        _abort.Dispose();
    }
}
