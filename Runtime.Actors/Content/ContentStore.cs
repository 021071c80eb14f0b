using System.Security.Cryptography;
using System.Text;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Oci.Images;

namespace Runtime.Actors.Content;

/// <param name="UpdatedAt">When it was committed.</param>
public readonly record struct ContentInfo(Digest Digest, long Size, DateTimeOffset UpdatedAt);

/// <summary>
/// Blobs by digest on disk, in containerd's layout: <c>blobs/sha256/HEX</c>, <c>ingest/HASH/{data,ref,startedat,updatedat,total}</c>
/// with HASH the sha256 of the ref. A blob is there whole and verified, or not at all. Thread-safe; one process only.
/// </summary>
/// <remarks>Calls block for as long as the disk does: they are not for an actor's thread.</remarks>
public sealed partial class ContentStore
{
    private readonly string _blobs;
    private readonly string _ingests;
    private readonly bool _sync;
    private readonly TimeProvider _clock;
    private readonly KeyedLocks _writers = new();

    /// <param name="root">Made with mode 0700 where missing.</param>
    /// <param name="sync">Every blob is on the disk before it has its name: it survives a power loss.</param>
    public ContentStore(string root, bool sync, TimeProvider clock)
    {
        Root = root;
        _blobs = Path.Combine(root, "blobs");
        _ingests = Path.Combine(root, "ingest");
        _sync = sync;
        _clock = clock;
        foreach (var algorithm in (string[])["sha256", "sha512"]) DurableFiles.MakePrivateDirectory(Path.Combine(_blobs, algorithm));
        DurableFiles.MakePrivateDirectory(_ingests);
    }

    public string Root { get; }

    /// <summary>Null for a digest that is not stored.</summary>
    public ContentInfo? Find(Digest digest)
    {
        var file = new FileInfo(PathOf(digest));
        return file.Exists ? new ContentInfo(digest, file.Length, file.LastWriteTimeUtc) : null;
    }

    public bool Has(Digest digest) => File.Exists(PathOf(digest));

    /// <summary>Every blob, in no order.</summary>
    public IEnumerable<ContentInfo> Walk()
    {
        foreach (var directory in new DirectoryInfo(_blobs).EnumerateDirectories())
        {
            foreach (var file in directory.EnumerateFiles())
            {
                if (Digest.TryParse($"{directory.Name}:{file.Name}", out var digest))
                    yield return new ContentInfo(digest, file.Length, file.LastWriteTimeUtc);
            }
        }
    }

    /// <summary>Opens a blob for reading at any offset. A reader keeps its bytes when the blob is deleted meanwhile.</summary>
    /// <exception cref="FaultException">NotFound <c>content.not-found</c>.</exception>
    public FileStream OpenRead(Digest digest)
    {
        try
        {
            return new FileStream(PathOf(digest), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        }
        catch (FileNotFoundException)
        {
            throw ContentFaults.NotFound(digest);
        }
    }

    /// <summary>A small blob: manifest, index or config.</summary>
    /// <exception cref="FaultException">NotFound; InvalidArgument <c>content.too-large</c> above <paramref name="maxBytes"/>.</exception>
    public byte[] ReadAll(Digest digest, int maxBytes = ManifestReader.MaxBytes)
    {
        using var file = OpenRead(digest);
        if (file.Length > maxBytes)
            throw new FaultException(FaultKind.InvalidArgument, "content.too-large",
                $"Content {digest} has {file.Length} bytes, where {maxBytes} are allowed.");
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>False for a digest that is not stored.</summary>
    public bool Delete(Digest digest)
    {
        var path = PathOf(digest);
        if (!File.Exists(path)) return false;
        File.Delete(path);
        return true;
    }

    /// <summary>Stores a small blob that is at hand. Existing content is success.</summary>
    /// <exception cref="FaultException">DataLoss when the bytes are not what <paramref name="digest"/> says.</exception>
    public async Task PutAsync(string reference, Digest digest, ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        if (Has(digest)) return;
        using var ingest = await OpenIngestAsync(reference, digest, bytes.Length, wait: true, cancellation);
        if (ingest is null) return;
        ingest.Truncate(0);
        ingest.Write(bytes.Span);
        ingest.Commit(bytes.Length, digest);
    }

    /// <summary>
    /// Opens a new ingest or takes up the one with this ref where it stopped. There is one writer per ref.
    /// </summary>
    /// <param name="reference">The ingest's name; across a restart, too.</param>
    /// <param name="expected">The digest that is to come; empty when the writer does not know it.</param>
    /// <param name="total">Bytes in all; 0 when that is not known.</param>
    /// <param name="wait">Wait for another writer of the ref instead of being refused.</param>
    /// <returns>Null when <paramref name="expected"/> is stored already.</returns>
    /// <exception cref="FaultException">Unavailable <c>content.locked</c>.</exception>
    public async Task<ContentIngest?> OpenIngestAsync(
        string reference, Digest expected, long total, bool wait, CancellationToken cancellation)
    {
        var held = wait
            ? await _writers.AcquireAsync(reference, cancellation)
            : _writers.TryAcquire(reference) ?? throw ContentFaults.Locked(reference);
        try
        {
            if (!expected.IsEmpty && Has(expected))
            {
                held.Dispose();
                return null;
            }
            return new ContentIngest(this, held, IngestDirectory(reference), reference, total);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Makes its holder the one writer of a ref.</summary>
    /// <param name="shown">What the ref is called in the refusal.</param>
    /// <exception cref="FaultException">Unavailable <c>content.locked</c>.</exception>
    internal IDisposable Lock(string reference, string shown) => _writers.TryAcquire(reference) ?? throw ContentFaults.Locked(shown);

    /// <summary>Opens the ingest whose lock is held; it takes the lock over.</summary>
    internal ContentIngest Open(IDisposable held, string reference, long total) =>
        new(this, held, IngestDirectory(reference), reference, total);

    internal TimeProvider Clock => _clock;

    internal bool Sync => _sync;

    internal string PathOf(Digest digest) => Path.Combine(_blobs, digest.AlgorithmName, digest.Hex);

    private string IngestDirectory(string reference) =>
        Path.Combine(_ingests, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(reference))));
}
