using Containerd.Types.Transfer;
using Google.Protobuf;
using Runtime.Faults;

namespace Runtime.Api.Streams;

/// <summary>Bytes that go to a client in a stream, as many as it allows by its <see cref="WindowUpdate"/>s.</summary>
internal sealed class SentBytes(ClientStream stream) : Stream
{
    /// <summary>containerd's client reads pieces of this size.</summary>
    private const int PieceBytes = 32 * 1024;

    private long _window;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            while (_window <= 0) await AllowAsync(cancellationToken);
            var count = (int)Math.Min(Math.Min(buffer.Length, PieceBytes), _window);
            await stream.WriteAsync(new Data { Data_ = UnsafeByteOperations.UnsafeWrap(buffer[..count]) }, cancellationToken);
            _window -= count;
            buffer = buffer[count..];
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Only WriteAsync: no thread waits for a client.");

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private async Task AllowAsync(CancellationToken cancellation)
    {
        var message = await stream.ReadAsync(cancellation)
            ?? throw new FaultException(FaultKind.Cancelled, "stream.closed", "The client takes no more bytes.");
        if (!message.Holds(WindowUpdate.Parser, out var update) || update.Update <= 0)
            throw new FaultException(FaultKind.InvalidArgument, "stream.unexpected-message", $"{message.TypeUrl} allows no more bytes.");
        _window += update.Update;
    }
}
