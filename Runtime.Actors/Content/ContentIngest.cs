using System.Globalization;
using Microsoft.Win32.SafeHandles;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Oci.Images;

namespace Runtime.Actors.Content;

/// <summary>
/// One writer of one ingest. What was written stays when it is disposed without <see cref="Commit"/>, also over a restart of the
/// daemon, and the next writer of the ref goes on from <see cref="Offset"/>. Not thread-safe.
/// </summary>
/// <remarks>A hash cannot be stored: it is rebuilt by reading what is there, at the latest with the first write.</remarks>
public sealed class ContentIngest : IDisposable
{
    private const int BufferBytes = 256 * 1024;

    private readonly ContentStore _store;
    private readonly IDisposable _held;
    private readonly string _directory;
    private readonly SafeFileHandle _data;
    private DigestHasher _hasher = new();
    private DigestAlgorithm _algorithm = DigestAlgorithm.Sha256;

    internal ContentIngest(ContentStore store, IDisposable held, string directory, string reference, long total)
    {
        _store = store;
        _held = held;
        _directory = directory;
        Reference = reference;
        try
        {
            var isNew = !File.Exists(PathOf("ref"));
            if (isNew)
            {
                // A directory without a ref is what a crash left of making one.
                DirectoryTree.Delete(directory);
                DurableFiles.MakePrivateDirectory(directory);
                var now = store.Clock.GetUtcNow().ToString("O", CultureInfo.InvariantCulture);
                File.WriteAllText(PathOf("startedat"), now);
                File.WriteAllText(PathOf("updatedat"), now);
                if (total > 0) File.WriteAllText(PathOf("total"), total.ToString(CultureInfo.InvariantCulture));
                File.WriteAllBytes(PathOf("data"), []);
                File.WriteAllText(PathOf("ref"), reference);
            }
            Total = total > 0 ? total : ContentStore.ReadTotal(directory);
            _data = File.OpenHandle(PathOf("data"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
            Offset = RandomAccess.GetLength(_data);
        }
        catch (IOException failed)
        {
            throw ContentFaults.Disk(directory, failed);
        }
        // More than all of it: whatever wrote that, it is not the beginning of this.
        if (Total > 0 && Offset > Total) Truncate(0);
    }

    public string Reference { get; }

    /// <summary>Bytes that are stored: where the next ones go.</summary>
    public long Offset { get; private set; }

    /// <summary>Bytes in all; 0 when that is not known.</summary>
    public long Total { get; }

    /// <summary>Appends.</summary>
    /// <exception cref="FaultException">ResourceExhausted <c>content.disk-full</c>.</exception>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (_hasher.Length != Offset) RebuildHash();
        try
        {
            RandomAccess.Write(_data, bytes, Offset);
        }
        catch (IOException failed)
        {
            // Part of it may be there: what counts is what was hashed.
            throw ContentFaults.Disk(_directory, failed);
        }
        _hasher.Append(bytes);
        Offset += bytes.Length;
    }

    /// <summary>Reads what is stored, from the start, and hashes it on the way; for who has to see those bytes anyway.</summary>
    /// <returns>0 at <see cref="Offset"/>.</returns>
    public int Replay(Span<byte> buffer)
    {
        var room = (int)Math.Min(buffer.Length, Offset - _hasher.Length);
        if (room <= 0) return 0;
        var read = RandomAccess.Read(_data, buffer[..room], _hasher.Length);
        if (read == 0) throw ContentFaults.WrongOffset(Reference, _hasher.Length, Offset);
        _hasher.Append(buffer[..read]);
        return read;
    }

    /// <summary>Starts the hash anew: the next <see cref="Replay"/> begins at the first byte.</summary>
    public void Rewind() => Restart(_algorithm);

    /// <exception cref="FaultException">OutOfRange <c>content.wrong-offset</c> beyond <see cref="Offset"/>.</exception>
    public void Truncate(long length)
    {
        if (length > Offset) throw ContentFaults.WrongOffset(Reference, Offset, length);
        RandomAccess.SetLength(_data, length);
        Offset = length;
        Rewind();
    }

    /// <summary>The digest of all that is stored.</summary>
    public Digest Digest(DigestAlgorithm algorithm = DigestAlgorithm.Sha256)
    {
        if (algorithm != _algorithm) Restart(algorithm);
        if (_hasher.Length != Offset) RebuildHash();
        return _hasher.Current();
    }

    /// <summary>
    /// 1. verifies size and digest, 2. makes the bytes durable where the store does so, 3. gives them their name, 4. ends the
    /// ingest. Bytes that are wrong are thrown away with the ingest. A digest that is stored meanwhile is success.
    /// </summary>
    /// <param name="size">Expected bytes; 0 to take any number.</param>
    /// <param name="expected">Empty to take any digest.</param>
    /// <returns>The digest.</returns>
    /// <exception cref="FaultException">DataLoss <c>content.size-mismatch</c>, <c>content.digest-mismatch</c>.</exception>
    public Digest Commit(long size, Digest expected)
    {
        var digest = Digest(expected.IsEmpty ? DigestAlgorithm.Sha256 : expected.Algorithm);
        if (size > 0 && Offset != size)
        {
            Abort();
            throw ContentFaults.WrongSize(Reference, size, Offset);
        }
        if (!expected.IsEmpty && digest != expected)
        {
            Abort();
            throw ContentFaults.WrongDigest(Reference, expected, digest);
        }
        var path = _store.PathOf(digest);
        try
        {
            if (_store.Sync) RandomAccess.FlushToDisk(_data);
            Inodes.ChangeMode(_data, 0b100_100_100);
            File.SetLastWriteTimeUtc(_data, _store.Clock.GetUtcNow().UtcDateTime);
            File.Move(PathOf("data"), path, overwrite: true);
            if (_store.Sync) DurableFiles.SyncDirectory(Path.GetDirectoryName(path)!);
        }
        catch (IOException failed)
        {
            throw ContentFaults.Disk(path, failed);
        }
        Abort();
        return digest;
    }

    /// <summary>Throws the ingest away.</summary>
    public void Abort() => DirectoryTree.Delete(_directory);

    public void Dispose()
    {
        _data.Dispose();
        _hasher.Dispose();
        _held.Dispose();
    }

    private void RebuildHash()
    {
        var buffer = new byte[BufferBytes];
        while (_hasher.Length < Offset) Replay(buffer);
    }

    private void Restart(DigestAlgorithm algorithm)
    {
        _hasher.Dispose();
        _hasher = new DigestHasher(_algorithm = algorithm);
    }

    private string PathOf(string name) => Path.Combine(_directory, name);
}
