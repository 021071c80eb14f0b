using Containerd.Types.Transfer;
using Runtime.Faults;

namespace Runtime.Api.Streams;

/// <summary>
/// Bytes that a client sends in a stream: pieces (<see cref="Data"/>), of which it sends as many bytes as it has been allowed by
/// <see cref="WindowUpdate"/>s.
/// </summary>
internal sealed class ReceivedBytes(ClientStream stream) : Stream
{
    /// <summary>containerd's: two pieces of its client.</summary>
    private const int WindowBytes = 64 * 1024;

    private ReadOnlyMemory<byte> _piece;
    private long _window;
    private bool _ended;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_piece.IsEmpty)
        {
            if (_ended || !await ReceiveAsync(cancellationToken)) return 0;
        }
        var count = Math.Min(buffer.Length, _piece.Length);
        _piece[..count].CopyTo(buffer);
        _piece = _piece[count..];
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Only ReadAsync: no thread waits for a client.");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private async Task<bool> ReceiveAsync(CancellationToken cancellation)
    {
        if (_window < WindowBytes)
        {
            await stream.WriteAsync(new WindowUpdate { Update = WindowBytes }, cancellation);
            _window += WindowBytes;
        }
        if (await stream.ReadAsync(cancellation) is not { } message)
        {
            _ended = true;
            return false;
        }
        if (!message.Holds(Data.Parser, out var data))
            throw new FaultException(FaultKind.InvalidArgument, "stream.unexpected-message", $"{message.TypeUrl} is no data of a stream.");
        _window -= data.Data_.Length;
        _piece = data.Data_.Memory;
        return true;
    }
}
