using System.Buffers;

namespace Runtime.Actors.Tasks;

/// <summary>
/// An output that is read from the start, kept up to a limit and then dropped, so that who writes never waits for long.
/// </summary>
internal sealed class KeptOutput : IDisposable
{
    private const int BufferBytes = 64 * 1024; // a pipe's own size

    private readonly MemoryStream _kept = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Stream _stream;
    private readonly Task _reading;
    private readonly int _bytesMax;

    public KeptOutput(Stream stream, int bytesMax)
    {
        (_stream, _bytesMax) = (stream, bytesMax);
        _reading = ReadAsync();
    }

    public ReadOnlyMemory<byte> Bytes => _kept.GetBuffer().AsMemory(0, (int)_kept.Length);

    /// <summary>Waits for the end of the stream; after the cancellation, takes what there is.</summary>
    public async Task EndAsync(CancellationToken limit)
    {
        using var stop = limit.Register(_stopping.Cancel);
        await _reading;
    }

    public void Dispose() => _stopping.Cancel();

    private async Task ReadAsync()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (await _stream.ReadAsync(buffer, _stopping.Token) is > 0 and var count)
                _kept.Write(buffer, 0, (int)Math.Min(count, _bytesMax - _kept.Length));
        }
        catch (Exception end) when (end is OperationCanceledException or ObjectDisposedException or IOException)
        {
            // A child keeps the stream open beyond the limit, or nobody wants the rest.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
