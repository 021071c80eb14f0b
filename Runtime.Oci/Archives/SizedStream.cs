namespace Runtime.Oci.Archives;

/// <summary>
/// A stream of a size that is known beforehand. It says that it can seek because the tar writer asks only such a stream for its
/// length, which the header needs first; a stream that is shorter or longer is an error.
/// </summary>
internal sealed class SizedStream(Stream inner, long size) : Stream
{
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => size;

    public override long Position
    {
        get => _position;
        set
        {
            if (value != _position) throw new NotSupportedException("A blob is read from its start to its end.");
        }
    }

    /// <exception cref="Runtime.Faults.FaultException">DataLoss: the stream is shorter than its size.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_position == size || buffer.IsEmpty) return 0;
        var wanted = (int)Math.Min(buffer.Length, size - _position);
        var read = await inner.ReadAsync(buffer[..wanted], cancellationToken);
        if (read == 0) throw ArchiveFaults.WrongDigest($"a blob ended after {_position} of {size} bytes");
        _position += read;
        return read;
    }

    /// <summary>False when there is more in the stream than its size.</summary>
    public async Task<bool> IsAtEndAsync(CancellationToken cancellation) =>
        _position == size && await inner.ReadAsync(new byte[1], cancellation) == 0;

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Read asynchronously.");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
