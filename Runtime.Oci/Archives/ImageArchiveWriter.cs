using System.Collections.Immutable;
using System.Formats.Tar;
using System.Text.Json;
using Runtime.Faults;
using Runtime.Oci.Images;

namespace Runtime.Oci.Archives;

/// <summary>An image to be written.</summary>
/// <param name="Names">Full names; none for an image that is known by digest only.</param>
public sealed record ImageToArchive(ImmutableArray<string> Names, Descriptor Target);

/// <summary>
/// Writes images as an OCI image layout in a tar, with a manifest.json beside index.json, so that <c>docker load</c> of any age,
/// <c>ctr images import</c>, skopeo and podman read it. The stream need not be seekable.
/// </summary>
/// <remarks><code>
/// oci-layout   blobs/sha256/HEX ...   index.json   manifest.json
/// </code></remarks>
public sealed class ImageArchiveWriter : IAsyncDisposable
{
    private const int MaxDepth = 4;

    private readonly IBlobSource _source;
    private readonly PlatformMatcher _matcher;
    private readonly TarWriter _tar;
    private readonly HashSet<Digest> _written = [];

    private ImageArchiveWriter(Stream archive, IBlobSource source, PlatformMatcher matcher)
    {
        _source = source;
        _matcher = matcher;
        _tar = new TarWriter(archive, TarEntryFormat.Pax, leaveOpen: true);
    }

    /// <param name="matcher">Of an image for several platforms, this one's content is written, and the index as it is.</param>
    /// <exception cref="FaultException">NotFound <c>archive.blob-missing</c>; DataLoss <c>archive.digest-mismatch</c> when a blob
    /// has not the size of its descriptor.</exception>
    public static async Task WriteAsync(
        Stream archive, ImmutableArray<ImageToArchive> images, IBlobSource source, PlatformMatcher matcher,
        CancellationToken cancellation)
    {
        await using var writer = new ImageArchiveWriter(archive, source, matcher);
        await writer.WriteAsync(images, cancellation);
    }

    public ValueTask DisposeAsync() => _tar.DisposeAsync();

    private async Task WriteAsync(ImmutableArray<ImageToArchive> images, CancellationToken cancellation)
    {
        await FileAsync(
            "oci-layout", JsonSerializer.SerializeToUtf8Bytes(new LayoutMark("1.0.0"), ArchiveJson.Default.LayoutMark), cancellation);
        var index = ImmutableArray.CreateBuilder<Descriptor>();
        var docker = new List<DockerArchiveEntry>();
        foreach (var image in images)
        {
            var manifest = await ImageAsync(image.Target, 0, cancellation)
                ?? throw Missing($"a manifest of {image.Target.Digest} for {_matcher.Wanted}");
            index.AddRange(image.Names.IsEmpty ? [image.Target] : image.Names.Select(name => Named(image.Target, name)));
            docker.Add(new DockerArchiveEntry
            {
                Config = PathOf(manifest.Config.Digest),
                RepoTags = [.. image.Names.Select(FamiliarTag).OfType<string>()],
                Layers = [.. manifest.Layers.Select(layer => PathOf(layer.Digest))],
            });
        }
        await FileAsync(
            "index.json", new ImageIndex { MediaType = MediaTypes.OciIndex, Manifests = index.ToImmutable() }.ToBytes(), cancellation);
        await FileAsync(
            "manifest.json", JsonSerializer.SerializeToUtf8Bytes([.. docker], ArchiveJson.Default.DockerArchiveEntryArray), cancellation);
    }

    // Writes what the target needs; null when an index has nothing for the platform.
    private async Task<ImageManifest?> ImageAsync(Descriptor target, int depth, CancellationToken cancellation)
    {
        if (depth > MaxDepth) return null;
        switch (await DocumentAsync(target, cancellation))
        {
            case ImageManifest manifest:
                foreach (var child in manifest.Children) await BlobAsync(child, cancellation);
                await BlobAsync(target, cancellation);
                return manifest;
            case ImageIndex index:
                foreach (var child in _matcher.Select(index))
                {
                    if (await ImageAsync(child, depth + 1, cancellation) is not { } manifest) continue;
                    await BlobAsync(target, cancellation);
                    return manifest;
                }
                return null;
            default:
                return null;
        }
    }

    private async Task<ManifestDocument?> DocumentAsync(Descriptor target, CancellationToken cancellation)
    {
        await using var stream = await _source.OpenAsync(target.Digest, cancellation);
        if (stream is null || target.Size > ManifestReader.MaxBytes) return null;
        var bytes = new byte[target.Size];
        await stream.ReadExactlyAsync(bytes, cancellation);
        return ManifestReader.Read(bytes, target.MediaType);
    }

    private async Task BlobAsync(Descriptor blob, CancellationToken cancellation)
    {
        if (!_written.Add(blob.Digest)) return;
        await using var stream = await _source.OpenAsync(blob.Digest, cancellation) ?? throw Missing($"the blob {blob.Digest}");
        await using var sized = new SizedStream(stream, blob.Size);
        await EntryAsync(PathOf(blob.Digest), sized, cancellation);
        if (!await sized.IsAtEndAsync(cancellation)) throw ArchiveFaults.WrongDigest($"{blob.Digest} has not {blob.Size} bytes");
    }

    private async Task FileAsync(string path, byte[] bytes, CancellationToken cancellation)
    {
        using var stream = new MemoryStream(bytes, writable: false);
        await EntryAsync(path, stream, cancellation);
    }

    private Task EntryAsync(string path, Stream content, CancellationToken cancellation) => _tar.WriteEntryAsync(
        new PaxTarEntry(TarEntryType.RegularFile, path)
        {
            DataStream = content,
            Mode = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
            // The same images give the same archive.
            ModificationTime = DateTimeOffset.UnixEpoch,
        },
        cancellation);

    private static string PathOf(Digest digest) => $"blobs/{digest.AlgorithmName}/{digest.Hex}";

    private static Descriptor Named(Descriptor target, string name)
    {
        var annotations = (target.Annotations ?? ImmutableSortedDictionary<string, string>.Empty)
            .SetItem(ImageArchiveReader.NameAnnotation, name);
        return target with
        {
            Annotations = ImageReference.TryParse(name, out var reference) && reference.Tag is { } tag
                ? annotations.SetItem(ImageArchiveReader.RefAnnotation, tag)
                : annotations,
        };
    }

    // docker load knows tags only, and shows them as they stand here.
    private static string? FamiliarTag(string name)
    {
        if (!ImageReference.TryParse(name, out var reference) || reference.RepoTag is null) return null;
        return $"{reference.FamiliarName}:{reference.Tag}";
    }

    private static FaultException Missing(string what) =>
        new(FaultKind.NotFound, "archive.blob-missing", $"The archive cannot be written: {what} is not here.");
}
