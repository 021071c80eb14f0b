using System.Collections.Immutable;
using Runtime.Faults;
using Runtime.Oci.Images;

namespace Runtime.Actors.Content;

/// <summary>
/// One client's writer of one ingest. Bytes that another namespace has stored already are not written again: the writer then stands at
/// their end, and commits. What was written stays until a commit or an abort, also over a restart of the daemon. Not thread-safe.
/// </summary>
public sealed class ContentWriter : IDisposable
{
    private readonly ContentCatalog _catalog;
    private readonly IngestName _name;
    private readonly IDisposable _held;
    private readonly ContentPins.PinSet _used;
    private readonly CancellationTokenSource _stopping;
    private readonly string? _lease;
    private ContentStore _store = null!;
    private ContentIngest? _ingest;
    private ContentInfo? _shared;
    private bool _disposed;

    internal ContentWriter(
        ContentCatalog catalog, IngestName name, IDisposable held, ContentPins.PinSet used, CancellationTokenSource stopping, string? lease)
    {
        _catalog = catalog;
        _name = name;
        _held = held;
        _used = used;
        _stopping = stopping;
        _lease = lease;
    }

    /// <summary>Cancelled when somebody aborts the ingest: what is written from then on is lost.</summary>
    public CancellationToken Aborted => _stopping.Token;

    public long Offset => _ingest?.Offset ?? _shared!.Value.Size;

    /// <summary>When the ingest was begun and last written to.</summary>
    public (DateTimeOffset StartedAt, DateTimeOffset UpdatedAt) Times
    {
        get
        {
            if (_shared is { } blob) return (blob.UpdatedAt, blob.UpdatedAt);
            var status = _store.Find(_name.InStore);
            return (status?.StartedAt ?? default, status?.UpdatedAt ?? default);
        }
    }

    /// <summary>Of what is written so far.</summary>
    public Digest Digest => _ingest?.Digest() ?? _shared!.Value.Digest;

    internal void Begin(ContentStore store, Digest expected, long total)
    {
        _store = store;
        if (!expected.IsEmpty && store.Find(expected) is { } blob && (total == 0 || total == blob.Size)) _shared = blob;
        else OpenIngest(total);
    }

    /// <exception cref="FaultException">OutOfRange beyond <see cref="Offset"/>.</exception>
    public void Truncate(long length)
    {
        if (_shared is { } blob)
        {
            if (length == blob.Size) return;
            OpenIngest(blob.Size);
            _shared = null;
        }
        _ingest!.Truncate(length);
    }

    /// <exception cref="FaultException">OutOfRange where all bytes are there already.</exception>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (_ingest is null) throw ContentFaults.WrongOffset(_name.Reference, Offset, Offset);
        _ingest.Write(bytes);
    }

    /// <summary>
    /// Verifies size and digest, gives the bytes their name, and makes them the namespace's own. Where they are wrong, the ingest stays
    /// as it is.
    /// </summary>
    /// <param name="size">Expected bytes; 0 to take any number.</param>
    /// <param name="expected">Empty to take any digest.</param>
    /// <exception cref="FaultException">FailedPrecondition for other bytes; AlreadyExists where the namespace has the digest.</exception>
    public async Task<Digest> CommitAsync(
        long size, Digest expected, ImmutableSortedDictionary<string, string> labels, CancellationToken cancellation)
    {
        if (size > 0 && size != Offset) throw ContentFaults.UnexpectedSize(_name.Reference, size, Offset);
        var digest = _ingest?.Digest(expected.IsEmpty ? DigestAlgorithm.Sha256 : expected.Algorithm) ?? _shared!.Value.Digest;
        if (!expected.IsEmpty && digest != expected) throw ContentFaults.UnexpectedDigest(expected, digest);
        var length = Offset;
        await _used.AddAsync(digest.ToString(), cancellation);
        _ingest?.Commit(length, digest);
        await _catalog.RecordAsync(_name, new ContentEntry(digest.ToString(), length, labels), _lease, cancellation);
        return digest;
    }

    /// <summary>Throws the ingest away.</summary>
    public void Abort() => _ingest?.Abort();

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _catalog.Closed(_name, _stopping);
        _ingest?.Dispose();
        _held.Dispose();
        _used.Dispose();
        _stopping.Dispose();
    }

    private void OpenIngest(long total) => _ingest = _store.Open(_held, _name.InStore, total);
}
