using System.Collections.Immutable;
using System.Text.Json;
using Runtime.Faults;
using Runtime.Oci.Images;

namespace Runtime.Oci.Archives;

/// <summary>
/// Reads images out of a tar: an OCI image layout (image-layout.md), what <c>docker save</c> writes, or both in one, as newer
/// Docker does. The stream need not be seekable and may be compressed with gzip or zstd.
/// </summary>
public static class ImageArchiveReader
{
    /// <summary>containerd's annotation with an image's full name.</summary>
    internal const string NameAnnotation = "io.containerd.image.name";

    internal const string RefAnnotation = "org.opencontainers.image.ref.name";

    /// <summary>Images of one archive.</summary>
    private const int MaxImages = 1024;

    /// <summary>An index in an index in an index: what is deeper is not followed.</summary>
    private const int MaxDepth = 4;

    /// <summary>Stores every blob through <paramref name="sink"/>; returns the images when all that they need is there.</summary>
    /// <param name="matcher">Chooses the manifest of an image for several platforms; the others may be missing.</param>
    /// <exception cref="FaultException">InvalidArgument <c>archive.malformed</c>, <c>archive.incomplete</c>,
    /// <c>manifest.malformed</c> or <c>image-config.malformed</c>; DataLoss <c>archive.digest-mismatch</c>; and the sink's.</exception>
    public static async Task<ImmutableArray<ArchivedImage>> ReadAsync(
        Stream archive, IBlobSink sink, PlatformMatcher matcher, CancellationToken cancellation)
    {
        var contents = await ArchiveContents.ReadAsync(archive, sink, cancellation);
        var docker = contents.DockerManifest is { } json ? Entries(json) : [];
        if (contents.Index is { } index) return await FromLayoutAsync(index, docker, contents, sink, matcher, cancellation);
        if (contents.DockerManifest is not null) return await FromDockerAsync(docker, contents, sink, cancellation);
        throw ArchiveFaults.Malformed("it has neither index.json (an OCI layout) nor manifest.json (docker save)");
    }

    private static async Task<ImmutableArray<ArchivedImage>> FromLayoutAsync(
        byte[] json, DockerArchiveEntry[] docker, ArchiveContents contents, IBlobSink sink, PlatformMatcher matcher,
        CancellationToken cancellation)
    {
        var index = ImageIndex.Parse(json);
        if (index.Manifests.Length > MaxImages) throw ArchiveFaults.Malformed($"it has more than {MaxImages} images");
        var images = ImmutableArray.CreateBuilder<ArchivedImage>();
        foreach (var entries in index.Manifests.GroupBy(entry => entry.Digest))
        {
            var target = entries.First() with { Annotations = null };
            var (descriptor, manifest) = await ManifestAsync(target, sink, matcher, 0, cancellation)
                ?? throw ArchiveFaults.Incomplete($"{target.Digest} has no manifest for {matcher.Wanted} with all of its blobs");
            var names = entries.Select(NameOf).OfType<string>()
                .Concat(docker.Where(entry => contents.Find(entry.Config)?.Digest == manifest.Config.Digest).SelectMany(Names));
            images.Add(new ArchivedImage(
                [.. names.Distinct()], entries.Select(entry => entry.Annotations?.GetValueOrDefault(RefAnnotation)).FirstOrDefault(IsTag),
                target, descriptor));
        }
        return images.ToImmutable();
    }

    // Null when no manifest below is for the platform and complete.
    private static async Task<(Descriptor, ImageManifest)?> ManifestAsync(
        Descriptor target, IBlobSink sink, PlatformMatcher matcher, int depth, CancellationToken cancellation)
    {
        if (depth > MaxDepth || await sink.ReadAsync(target.Digest, ManifestReader.MaxBytes, cancellation) is not { } bytes) return null;
        if (bytes.Length != target.Size) throw ArchiveFaults.WrongDigest($"{target.Digest} has not the size {target.Size}");
        switch (ManifestReader.Read(bytes, target.MediaType))
        {
            case ImageManifest manifest:
                foreach (var child in manifest.Children)
                {
                    if (!await sink.HasAsync(child.Digest, cancellation)) return null;
                }
                return (target, manifest);
            case ImageIndex index:
                foreach (var child in matcher.Select(index))
                {
                    if (await ManifestAsync(child, sink, matcher, depth + 1, cancellation) is { } found) return found;
                }
                return null;
            default:
                return null;
        }
    }

    private static async Task<ImmutableArray<ArchivedImage>> FromDockerAsync(
        DockerArchiveEntry[] entries, ArchiveContents contents, IBlobSink sink, CancellationToken cancellation)
    {
        var images = ImmutableArray.CreateBuilder<ArchivedImage>();
        foreach (var entry in entries)
        {
            var manifest = await SynthesizeAsync(entry, contents, sink, cancellation);
            var bytes = manifest.ToBytes();
            var target = Descriptor.Of(MediaTypes.DockerManifest, bytes);
            using var stream = new MemoryStream(bytes, writable: false);
            await sink.StoreAsync(stream, target.Digest, target.Size, cancellation);
            images.Add(new ArchivedImage([.. Names(entry).Distinct()], null, target, target));
        }
        return images.ToImmutable();
    }

    // Docker stores config and plain layers only: the manifest that a registry would have is made here.
    private static async Task<ImageManifest> SynthesizeAsync(
        DockerArchiveEntry entry, ArchiveContents contents, IBlobSink sink, CancellationToken cancellation)
    {
        var file = contents.Find(entry.Config) ?? throw ArchiveFaults.Incomplete($"the config {Shown.Of(entry.Config)} is missing");
        var name = Path.GetFileNameWithoutExtension(entry.Config);
        if (Digest.TryParse($"sha256:{name}", out var named) && named != file.Digest)
            throw ArchiveFaults.WrongDigest($"the config {name} has the digest {file.Digest}");
        var json = await sink.ReadAsync(file.Digest, ManifestReader.MaxBytes, cancellation)
            ?? throw ArchiveFaults.Malformed("its config is too large");
        var layers = (entry.Layers ?? []).Select(path => contents.Find(path)
            ?? throw ArchiveFaults.Incomplete($"the layer {Shown.Of(path)} is missing")).ToList();
        var manifest = new ImageManifest
        {
            MediaType = MediaTypes.DockerManifest,
            Config = new Descriptor { MediaType = MediaTypes.DockerConfig, Digest = file.Digest, Size = file.Size },
            Layers = [.. layers.Select(layer => new Descriptor { MediaType = TypeOf(layer), Digest = layer.Digest, Size = layer.Size })],
        };
        var config = ImageConfig.Parse(json);
        config.CheckAgainst(manifest);
        foreach (var (layer, diffId) in layers.Zip(config.Rootfs.DiffIds))
        {
            if (layer.Compression is LayerCompression.None && layer.Digest != diffId && diffId.Algorithm is DigestAlgorithm.Sha256)
                throw ArchiveFaults.WrongDigest($"the layer {diffId} has the digest {layer.Digest}");
        }
        return manifest;
    }

    private static string TypeOf(ArchiveContents.StoredFile layer) => layer.Compression switch
    {
        LayerCompression.Gzip => MediaTypes.DockerLayerGzip,
        LayerCompression.Zstd => MediaTypes.DockerLayerZstd,
        _ => MediaTypes.DockerLayer,
    };

    private static DockerArchiveEntry[] Entries(byte[] json)
    {
        try
        {
            var entries = JsonSerializer.Deserialize(json, ArchiveJson.Default.DockerArchiveEntryArray) ?? [];
            if (entries.Length > MaxImages) throw ArchiveFaults.Malformed($"it has more than {MaxImages} images");
            if (entries.Any(entry => entry?.Config is null || entry.Layers?.Contains(null) is true || entry.Layers?.Length > ManifestReader.MaxLayers))
                throw ArchiveFaults.Malformed("its manifest.json has an entry without config, or with an unusable list of layers");
            return entries;
        }
        catch (JsonException problem)
        {
            throw ArchiveFaults.Malformed($"its manifest.json is not Docker's: {Shown.Of(problem.Message)}", problem);
        }
    }

    private static IEnumerable<string> Names(DockerArchiveEntry entry) => (entry.RepoTags ?? [])
        .Where(tag => tag is not null).Select(tag => ImageReference.Parse(tag).ToString());

    private static string? NameOf(Descriptor entry)
    {
        if (entry.Annotations?.GetValueOrDefault(NameAnnotation) is { } name) return ImageReference.Parse(name).ToString();
        // By the spec a tag, but skopeo and others write whole names.
        return entry.Annotations?.GetValueOrDefault(RefAnnotation) is { } text && !IsTag(text)
            && ImageReference.TryParse(text, out var reference) ? reference.ToString() : null;
    }

    private static bool IsTag(string? text) =>
        text is not null && !text.AsSpan().ContainsAny("/:@") && ImageReference.TryParse($"a:{text}", out _);
}
