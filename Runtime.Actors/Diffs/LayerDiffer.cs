using System.Collections.Immutable;
using System.Globalization;
using Runtime.Actors.Content;
using Runtime.Actors.Entities;
using Runtime.Actors.Images;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Pulls;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Linux.Mounts;
using Runtime.Oci.Images;
using Runtime.Oci.Layers;

namespace Runtime.Actors.Diffs;

/// <summary>
/// An overlay's upper directory and a bind mount's source are written and read directly; anything else is mounted for the time.
/// </summary>
public sealed class LayerDiffer(
    ContentStore content, ReadModel<ContentView> records, ContentPins pins, EntityRequests requests, TemporaryMounts temporary,
    TimeProvider clock) : ILayerDiffer
{
    private long _serial;

    public async Task<Descriptor> ApplyAsync(
        NamespaceName space, Descriptor layer, ImmutableArray<MountSpec> mounts, bool sync, CancellationToken cancellation)
    {
        using var used = pins.Begin();
        await used.AddAsync(layer.Digest.ToString(), cancellation);
        if (records.Find(space, layer.Digest.ToString()) is null) throw ContentFaults.NotFound(layer.Digest);
        if (LayerDecompression.Of(layer.MediaType) is null) throw Unsupported(layer.MediaType);
        if (mounts.IsEmpty)
            throw new FaultException(FaultKind.InvalidArgument, "diff.no-mounts", "There are no mounts to unpack the layer into.");
        return await Task.Run(() => ApplyAsync(layer, mounts, sync, cancellation), cancellation);
    }

    public async Task<Descriptor> DiffAsync(NamespaceName space, LayerDiff diff, CancellationToken cancellation)
    {
        var compression = MediaTypes.CompressionOf(diff.MediaType) ?? throw Unsupported(diff.MediaType);
        var reference = diff.Reference.Length > 0 ? diff.Reference : NewReference();
        using var used = pins.Begin();
        using var ingest = (await content.OpenIngestAsync($"{space}/{reference}", default, 0, wait: false, cancellation))!;
        try
        {
            ingest.Truncate(0);
            var diffId = await Task.Run(() => Pack(diff, ingest, compression, cancellation), cancellation);
            var digest = ingest.Digest();
            await used.AddAsync(digest.ToString(), cancellation);
            var layer = new Descriptor { MediaType = diff.MediaType, Digest = digest, Size = ingest.Offset };
            ingest.Commit(layer.Size, digest);
            await requests.SendAsync<ContentAdded>(
                new AddContent(space, [new(digest.ToString(), layer.Size, LabelsOf(diff, compression, diffId))]),
                CancellationToken.None);
            return layer;
        }
        catch
        {
            ingest.Abort();
            throw;
        }
    }

    private async Task<Descriptor> ApplyAsync(
        Descriptor layer, ImmutableArray<MountSpec> mounts, bool sync, CancellationToken cancellation)
    {
        using var hasher = new DigestHasher();
        await using var blob = content.OpenRead(layer.Digest);
        await using var plain = new HashedStream(await LayerDecompression.OpenAsync(blob, cancellation), hasher);
        if (DiffMounts.WritableOverlay(mounts) is { } overlay)
        {
            await WriteAsync(plain, overlay.Upper, sync, cancellation, new LayerOptions
            {
                Whiteouts = WhiteoutMode.Overlay,
                UserXattr = overlay.UserXattr,
                Lowers = overlay.Lowers,
            });
        }
        else if (DiffMounts.WritableBind(mounts) is { } source)
        {
            await WriteAsync(plain, source, sync, cancellation);
        }
        else
        {
            using var place = temporary.Mount(mounts);
            await WriteAsync(plain, place.Path, sync, cancellation);
        }
        return new Descriptor { MediaType = MediaTypes.OciLayer, Digest = hasher.Current(), Size = hasher.Length };
    }

    private static async Task WriteAsync(
        Stream plain, string directory, bool sync, CancellationToken cancellation, LayerOptions? options = null)
    {
        await LayerApplier.ApplyAsync(plain, directory, options, cancellation);
        if (!sync) return;
        using var handle = Descriptors.Open(directory, FileConstants.O_RDONLY | FileConstants.O_DIRECTORY);
        Descriptors.SyncFileSystem(handle, directory);
    }

    /// <returns>The digest of the uncompressed layer.</returns>
    private Digest Pack(LayerDiff diff, ContentIngest ingest, Oci.Images.LayerCompression compression, CancellationToken cancellation)
    {
        using var hasher = new DigestHasher();
        using (var compressor = LayerCompressor.Open(new IngestStream(ingest), compression))
        using (var plain = new HashingStream(compressor, hasher))
        {
            var isWritten = DiffMounts.WritableOverlay(diff.Upper) is { } overlay && DiffMounts.Show(diff.Lower, overlay.Lowers)
                && LayerPacker.TryWriteUpper(overlay.Upper, overlay.UserXattr, plain, diff.NewestTime, cancellation);
            if (!isWritten) WriteDifference(diff, plain, cancellation);
        }
        return hasher.Current();
    }

    private void WriteDifference(LayerDiff diff, Stream plain, CancellationToken cancellation)
    {
        using var lower = diff.Lower.IsEmpty ? null : temporary.Mount(DiffMounts.ReadOnly(diff.Lower));
        if (DiffMounts.WritableBind(diff.Upper) is { } source)
        {
            LayerPacker.WriteDifference(lower?.Path, source, plain, diff.NewestTime, cancellation);
            return;
        }
        using var upper = temporary.Mount(diff.Upper);
        LayerPacker.WriteDifference(lower?.Path, upper.Path, plain, diff.NewestTime, cancellation);
    }

    private static ImmutableSortedDictionary<string, string> LabelsOf(
        LayerDiff diff, Oci.Images.LayerCompression compression, Digest diffId) =>
        compression is Oci.Images.LayerCompression.None
            ? diff.Labels
            : diff.Labels.SetItem(ImageRecorder.UncompressedLabel, diffId.ToString());

    private string NewReference() => string.Create(
        CultureInfo.InvariantCulture, $"diff-{clock.GetUtcNow().UtcTicks:x}-{Interlocked.Increment(ref _serial):x}");

    private static FaultException Unsupported(string mediaType) => new(
        FaultKind.Unimplemented, "diff.unsupported-media-type",
        $"\"{mediaType}\" is no layer of OCI or Docker, plain or compressed with gzip or zstd.");
}
