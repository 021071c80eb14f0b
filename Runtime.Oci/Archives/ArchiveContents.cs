using System.Formats.Tar;
using System.IO.Compression;
using Runtime.Faults;
using Runtime.Oci.Images;
using ZstdSharp;

namespace Runtime.Oci.Archives;

/// <summary>One pass over an archive: every blob stored, every document kept, every link noted.</summary>
internal sealed class ArchiveContents
{
    /// <summary>Entries of one archive: images have hundreds.</summary>
    private const int MaxEntries = 100_000;

    private const int MaxLinks = 8;

    private readonly Dictionary<string, StoredFile> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _links = new(StringComparer.Ordinal);

    /// <param name="Compression">Told from its first bytes.</param>
    public sealed record StoredFile(Digest Digest, long Size, LayerCompression Compression);

    /// <summary><c>index.json</c> of an OCI layout; null when there is none.</summary>
    public byte[]? Index { get; private set; }

    /// <summary><c>manifest.json</c> of Docker; null when there is none.</summary>
    public byte[]? DockerManifest { get; private set; }

    /// <summary>Reads to the end of <paramref name="archive"/>, which may be compressed as a whole with gzip or zstd.</summary>
    /// <exception cref="FaultException">InvalidArgument <c>archive.malformed</c>, DataLoss <c>archive.digest-mismatch</c>.</exception>
    public static async Task<ArchiveContents> ReadAsync(Stream archive, IBlobSink sink, CancellationToken cancellation)
    {
        var contents = new ArchiveContents();
        try
        {
            var peeked = await PeekedStream.OpenAsync(archive, cancellation);
            await using Stream plain = peeked.Compression switch
            {
                LayerCompression.Gzip => new GZipStream(peeked, CompressionMode.Decompress, leaveOpen: true),
                LayerCompression.Zstd => new DecompressionStream(peeked, leaveOpen: true),
                _ => peeked,
            };
            await using var tar = new TarReader(plain, leaveOpen: true);
            for (var entries = 0; await tar.GetNextEntryAsync(copyData: false, cancellation) is { } entry;)
            {
                if (++entries > MaxEntries) throw ArchiveFaults.Malformed($"it has more than {MaxEntries} entries");
                await contents.TakeAsync(entry, sink, cancellation);
            }
        }
        catch (Exception broken) when (broken is InvalidDataException or EndOfStreamException or FormatException or ZstdException)
        {
            throw ArchiveFaults.Malformed($"it is no tar that can be read: {broken.Message.TrimEnd('.')}", broken);
        }
        return contents;
    }

    /// <summary>A file by the path that another file gives, through links; null when it is not there.</summary>
    public StoredFile? Find(string path)
    {
        var at = Normal(path);
        for (var links = 0; at is not null && links <= MaxLinks; links++)
        {
            if (_files.TryGetValue(at, out var file)) return file;
            at = _links.GetValueOrDefault(at);
        }
        return null;
    }

    /// <summary>A path without <c>.</c> and <c>..</c>; null for one that leaves the archive. Paths are keys here, never opened.</summary>
    internal static string? Normal(string path)
    {
        var parts = new List<string>();
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ".") continue;
            if (part != "..") parts.Add(part);
            else if (parts.Count == 0) return null;
            else parts.RemoveAt(parts.Count - 1);
        }
        return string.Join('/', parts);
    }

    private async Task TakeAsync(TarEntry entry, IBlobSink sink, CancellationToken cancellation)
    {
        if (Normal(entry.Name) is not { Length: > 0 } path) return;
        switch (entry.EntryType)
        {
            case TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile:
                await TakeFileAsync(path, entry, sink, cancellation);
                break;
            case TarEntryType.SymbolicLink:
                // Old Docker: a layer that equals another one is a link, ../ID/layer.tar.
                if (Normal($"{path}/../{entry.LinkName}") is { } target) _links[path] = target;
                break;
            case TarEntryType.HardLink:
                if (Normal(entry.LinkName) is { } same) _links[path] = same;
                break;
        }
    }

    private async Task TakeFileAsync(string path, TarEntry entry, IBlobSink sink, CancellationToken cancellation)
    {
        switch (path)
        {
            case "index.json":
                Index = await DocumentAsync(path, entry, cancellation);
                break;
            case "manifest.json":
                DockerManifest = await DocumentAsync(path, entry, cancellation);
                break;
            default:
                if (IsBlob(path, entry.Length, out var expected)) await StoreAsync(path, entry, expected, sink, cancellation);
                break;
        }
    }

    private async Task StoreAsync(
        string path, TarEntry entry, Digest expected, IBlobSink sink, CancellationToken cancellation)
    {
        var content = await PeekedStream.OpenAsync(entry.DataStream ?? Stream.Null, cancellation);
        var digest = await sink.StoreAsync(content, expected, entry.Length, cancellation);
        if (!expected.IsEmpty && digest != expected) throw ArchiveFaults.WrongDigest($"{path} has the digest {digest}");
        _files[path] = new StoredFile(digest, entry.Length, content.Compression);
    }

    private static async Task<byte[]> DocumentAsync(string path, TarEntry entry, CancellationToken cancellation)
    {
        if (entry.Length > ManifestReader.MaxBytes) throw ArchiveFaults.Malformed($"{path} has {entry.Length} bytes");
        var bytes = new byte[entry.Length];
        if (entry.DataStream is { } content) await content.ReadExactlyAsync(bytes, cancellation);
        return bytes;
    }

    // blobs/ALGORITHM/HEX of a layout; ID/layer.tar, HEX.tar and HEX.json of Docker, whose purpose manifest.json tells later.
    private static bool IsBlob(string path, long size, out Digest expected)
    {
        expected = default;
        if (path.StartsWith("blobs/", StringComparison.Ordinal))
        {
            if (path.Split('/') is [_, var algorithm, var hex] && Digest.TryParse($"{algorithm}:{hex}", out expected)) return true;
            throw ArchiveFaults.Malformed($"{Shown.Of(path)} is not named by a sha256 or sha512 digest");
        }
        if (path.EndsWith(".tar", StringComparison.Ordinal) || path.EndsWith(".tar.gz", StringComparison.Ordinal)) return true;
        return path.EndsWith(".json", StringComparison.Ordinal) && !path.Contains('/', StringComparison.Ordinal)
            && size <= ManifestReader.MaxBytes;
    }
}
