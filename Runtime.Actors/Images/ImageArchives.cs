using System.Collections.Immutable;
using Runtime.Actors.Content;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Pulls;
using Runtime.Faults;
using Runtime.Oci.Archives;
using Runtime.Oci.Images;

namespace Runtime.Actors.Images;

/// <summary>Imports into and exports from the content store.</summary>
public sealed class ImageArchives(
    ContentStore content, ContentPins pins, ImageUnpacker unpacker, ImageRecorder recorder, ReadModel<ImageView> names,
    ImageInspector inspector, ImageOptions options) : IImageArchives
{
    private static readonly PlatformMatcher Here = new(Platform.Host);

    private long _serial;

    public async Task<ImmutableArray<ImageView>> ImportAsync(
        NamespaceName space, Stream archive, string? nameOverride, CancellationToken cancellation)
    {
        using var used = pins.Begin();
        var sink = new Sink(content, used, Interlocked.Increment(ref _serial));
        var images = await ImageArchiveReader.ReadAsync(archive, sink, Here, cancellation);
        var named = images.Select(image => (Image: image, Names: NamesOf(image, images.Length, nameOverride))).ToList();

        // 1. Everything is unpacked, 2. recorded, 3. named.
        var documents = new List<ImageDocuments>();
        foreach (var (image, _) in named)
        {
            var document = DocumentsOf(image);
            documents.Add(document);
            var layers = LayerPlan.Of(document.Content, document.Config);
            foreach (var layer in layers)
                await used.AddAsync(ContentPins.OfSnapshot(space.Value, unpacker.Snapshotter, layer.ChainId), cancellation);
            await unpacker.UnpackAsync(
                space, layers, new StoredLayers(content), options.MaxConcurrentDownloads, _ => { }, cancellation);
        }
        foreach (var document in documents) await recorder.RecordAsync(space, document, source: null, cancellation);
        foreach (var (image, its) in named) await recorder.NameAsync(space, its, image.Target, cancellation);
        return [.. named.SelectMany(image => image.Names).Distinct().Select(name => names.Find(space, name)).OfType<ImageView>()];
    }

    public async Task ExportAsync(NamespaceName space, ImmutableArray<string> names, Stream archive, CancellationToken cancellation)
    {
        using var used = pins.Begin();
        var images = ImmutableArray.CreateBuilder<ImageToArchive>();
        foreach (var targets in names.Select(name => Named(space, name)).GroupBy(view => view.Target))
        {
            var target = new Descriptor
            {
                MediaType = targets.Key.MediaType,
                Digest = Digest.Parse(targets.Key.Digest),
                Size = targets.Key.Size,
            };
            foreach (var digest in inspector.Reachable(targets.Key.Digest)) await used.AddAsync(digest.ToString(), cancellation);
            images.Add(new ImageToArchive([.. targets.Select(view => view.Name).Where(IsReference)], target));
        }
        await ImageArchiveWriter.WriteAsync(archive, images.ToImmutable(), new Source(content), Here, cancellation);
    }

    /// <summary>The archive's names; else the given one, with the tag that the archive may give.</summary>
    private static ImmutableArray<string> NamesOf(ArchivedImage image, int images, string? nameOverride)
    {
        if (!image.Names.IsEmpty) return image.Names;
        if (nameOverride is null || images > 1)
        {
            throw new FaultException(FaultKind.InvalidArgument, "archive.no-name",
                $"The archive does not say what {image.Target.Digest} is called{(image.Tag is { } only ? $", only its tag {only}" : "")}: "
                + (images > 1 ? "an archive of several images has to." : "give it a name."));
        }
        var given = ImageReference.Parse(nameOverride);
        var hasTag = nameOverride.LastIndexOf(':') > nameOverride.LastIndexOf('/') || !given.Digest.IsEmpty;
        return [(hasTag || image.Tag is null ? given : given.WithTag(image.Tag)).ToString()];
    }

    private ImageDocuments DocumentsOf(ArchivedImage image)
    {
        var manifest = ImageManifest.Parse(content.ReadAll(image.Manifest.Digest), image.Manifest.MediaType);
        return new ImageDocuments(
            image.Target.Digest == image.Manifest.Digest ? [] : [image.Target], image.Manifest, manifest,
            ImageConfig.Parse(content.ReadAll(manifest.Config.Digest)));
    }

    private ImageView Named(NamespaceName space, string name) => names.Find(space, name)
        ?? (ImageReference.TryParse(name, out var reference) ? names.Find(space, reference.ToString()) : null)
        ?? throw new FaultException(ImageState.Missing(name));

    private static bool IsReference(string name) => ImageReference.TryParse(name, out _);

    /// <summary>Every blob becomes an ingest of this import, then content; small ones are read back from there.</summary>
    private sealed class Sink(ContentStore content, ContentPins.PinSet used, long serial) : IBlobSink
    {
        private const int BufferBytes = 256 * 1024;

        private readonly byte[] _buffer = new byte[BufferBytes];
        private int _blobs;

        public async Task<Digest> StoreAsync(Stream blob, Digest expected, long size, CancellationToken cancellation)
        {
            if (!expected.IsEmpty) await used.AddAsync(expected.ToString(), cancellation);
            using var ingest = await content.OpenIngestAsync($"import-{serial}-{_blobs++}", expected, size, wait: true, cancellation);
            if (ingest is null) return expected;
            try
            {
                ingest.Truncate(0);
                for (int read; (read = await blob.ReadAsync(_buffer, cancellation)) > 0;) ingest.Write(_buffer.AsSpan(0, read));
                // Docker's archives do not name their blobs by digest: it is in use before it is there.
                var digest = expected.IsEmpty ? ingest.Digest() : expected;
                await used.AddAsync(digest.ToString(), cancellation);
                return ingest.Commit(size, digest);
            }
            catch
            {
                // An archive is read from its start the next time.
                ingest.Abort();
                throw;
            }
        }

        public Task<byte[]?> ReadAsync(Digest digest, int maxBytes, CancellationToken cancellation) => Task.FromResult(
            content.Find(digest) is { } found && found.Size <= maxBytes ? content.ReadAll(digest, maxBytes) : null);

        public async Task<bool> HasAsync(Digest digest, CancellationToken cancellation)
        {
            await used.AddAsync(digest.ToString(), cancellation);
            return content.Has(digest);
        }
    }

    private sealed class Source(ContentStore content) : IBlobSource
    {
        public Task<Stream?> OpenAsync(Digest digest, CancellationToken cancellation) =>
            Task.FromResult<Stream?>(content.Has(digest) ? content.OpenRead(digest) : null);
    }
}
