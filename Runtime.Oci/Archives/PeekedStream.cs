using Runtime.Oci.Images;

namespace Runtime.Oci.Archives;

/// <summary>A stream whose first bytes were looked at, to tell its compression, and are still read. Does not own it.</summary>
internal sealed class PeekedStream : Stream
{
    private const int PeekBytes = 4;

    private readonly Stream _inner;
    private ReadOnlyMemory<byte> _first;

    private PeekedStream(Stream inner, byte[] first)
    {
        _inner = inner;
        _first = first;
        Compression = first switch
        {
            [0x1f, 0x8b, ..] => LayerCompression.Gzip,
            [0x28, 0xb5, 0x2f, 0xfd] => LayerCompression.Zstd,
            _ => LayerCompression.None,
        };
    }

    public LayerCompression Compression { get; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public static async Task<PeekedStream> OpenAsync(Stream inner, CancellationToken cancellation)
    {
        var first = new byte[PeekBytes];
        var count = await inner.ReadAtLeastAsync(first, PeekBytes, throwOnEndOfStream: false, cancellation);
        return new PeekedStream(inner, first[..count]);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _first.IsEmpty ? await _inner.ReadAsync(buffer, cancellationToken) : TakeFirst(buffer.Span);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(Span<byte> buffer) => _first.IsEmpty ? _inner.Read(buffer) : TakeFirst(buffer);

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private int TakeFirst(Span<byte> buffer)
    {
        var count = Math.Min(buffer.Length, _first.Length);
        _first.Span[..count].CopyTo(buffer);
        _first = _first[count..];
        return count;
    }
}
