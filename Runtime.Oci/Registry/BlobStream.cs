using Runtime.Faults;
using Runtime.Oci.Images;

namespace Runtime.Oci.Registry;

/// <summary>
/// A blob as it comes in, from <see cref="Offset"/> to the end. Only ReadAsync works. A cut or stalled connection is resumed
/// where it stopped, on any of the hosts; it fails when that brought no byte for a few times in a row.
/// </summary>
public sealed class BlobStream : Stream
{
    private readonly RegistrySession _session;
    private readonly Descriptor _blob;
    private BlobPart? _part;
    private long _position;
    private int _resumesWithoutProgress;

    internal BlobStream(RegistrySession session, Descriptor blob, long offset, BlobPart part)
    {
        _session = session;
        _blob = blob;
        _part = part;
        _position = Offset = offset;
        RangeHonoured = part.RangeHonoured;
        Host = part.Host;
    }

    /// <summary>Of the first byte that is read.</summary>
    public long Offset { get; }

    /// <summary>Bytes of the whole blob.</summary>
    public long TotalLength => _blob.Size;

    /// <summary>False when the server sent the blob from its start, and the bytes before the offset were thrown away.</summary>
    public bool RangeHonoured { get; private set; }

    /// <summary>Who sends now.</summary>
    public string Host { get; private set; }

    /// <summary>How often the download was taken up again.</summary>
    public int Resumes { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    /// <returns>0 only when the whole blob was read.</returns>
    /// <exception cref="FaultException">See <see cref="RegistrySession"/>; DataLoss <c>registry.size-mismatch</c> for a blob that
    /// is longer than its descriptor says.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty) return 0;
        while (true)
        {
            if (_part is null) await ResumeAsync(cancellationToken);
            try
            {
                var read = await _part!.ReadAsync(buffer, cancellationToken);
                if (read == 0 && _position == _blob.Size) return 0;
                if (read > _blob.Size - _position)
                    throw RegistryFaults.WrongSize(Host, _blob.Digest.ToString(), $"more than {_blob.Size} bytes");
                if (read > 0)
                {
                    _position += read;
                    _resumesWithoutProgress = 0;
                    return read;
                }
                Cut(new IOException("The answer ended early."));
            }
            catch (Exception cut) when (cut is IOException or HttpRequestException)
            {
                if (_position == _blob.Size) return 0;
                Cut(cut);
            }
            catch (OperationCanceledException)
            {
                Drop();
                throw;
            }
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("A download is read asynchronously.");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) Drop();
        base.Dispose(disposing);
    }

    private void Drop()
    {
        _part?.Dispose();
        _part = null;
    }

    private void Cut(Exception cause)
    {
        Drop();
        if (++_resumesWithoutProgress > _session.Retries.Options.ResumesWithoutProgress)
            throw RegistryFaults.Unreachable(Host, $"the rest of {_blob.Digest}, from byte {_position}", cause).ToException(cause);
    }

    private async ValueTask ResumeAsync(CancellationToken cancellation)
    {
        await _session.Retries.WaitAsync(Math.Max(1, _resumesWithoutProgress), null, cancellation);
        _part = await _session.OpenPartAsync(_blob, _position, cancellation);
        RangeHonoured = _part.RangeHonoured;
        Host = _part.Host;
        Resumes++;
    }
}
