namespace Runtime.Actors.Content;

/// <summary>Writes into an ingest, which stays open.</summary>
internal sealed class IngestStream(ContentIngest ingest) : Stream
{
    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => ingest.Offset;

    public override long Position
    {
        get => ingest.Offset;
        set => throw new NotSupportedException();
    }

    public override void Write(ReadOnlySpan<byte> buffer) => ingest.Write(buffer);

    public override void Write(byte[] buffer, int offset, int count) => ingest.Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
