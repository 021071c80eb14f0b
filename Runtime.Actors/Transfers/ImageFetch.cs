using Runtime.Actors.Content;
using Runtime.Actors.Pulls;
using Runtime.Oci.Images;
using Runtime.Oci.Layers;
using Runtime.Oci.Registry;

namespace Runtime.Actors.Transfers;

/// <summary>One image's way from a registry into the content store. What is stored is not fetched.</summary>
internal sealed class ImageFetch(
    ContentStore content, RegistrySession session, ContentPins.PinSet used, PullProgress progress, StallGuard stalls)
{
    private readonly LayerDownloads _downloads = new(content, session, progress, stalls);

    public ILayerSource Layers => _downloads;

    public Task<Descriptor> ResolveAsync(CancellationToken cancellation) =>
        stalls.WatchAsync(() => session.ResolveAsync(cancellation), cancellation);

    /// <summary>A manifest, an index or a config: small, and needed as bytes.</summary>
    /// <exception cref="Faults.FaultException">InvalidArgument <c>content.too-large</c>; a registry's fault.</exception>
    public async Task<ReadOnlyMemory<byte>> DocumentAsync(Descriptor document, CancellationToken cancellation)
    {
        await used.AddAsync(document.Digest.ToString(), cancellation);
        if (content.Has(document.Digest)) return content.ReadAll(document.Digest);
        progress.Add(document, "waiting");
        if (MediaTypes.IsManifest(document.MediaType) || MediaTypes.IsIndex(document.MediaType))
        {
            var fetched = await stalls.WatchAsync(() => session.FetchManifestAsync(document, cancellation), cancellation);
            await content.PutAsync($"manifest-{document.Digest}", document.Digest, fetched.Bytes, cancellation);
        }
        else
        {
            await BlobAsync(document, cancellation);
        }
        progress.Report(document.Digest, "done", document.Size);
        return content.ReadAll(document.Digest);
    }

    /// <summary>Pins a layer that is to be unpacked on its way.</summary>
    public async Task ExpectAsync(Descriptor layer, CancellationToken cancellation)
    {
        await used.AddAsync(layer.Digest.ToString(), cancellation);
        progress.Add(layer, "waiting");
    }

    /// <summary>A layer, or whatever an artifact has, as it is.</summary>
    public async Task BlobAsync(Descriptor blob, CancellationToken cancellation)
    {
        await used.AddAsync(blob.Digest.ToString(), cancellation);
        progress.Add(blob, content.Has(blob.Digest) ? "exists" : "waiting");
        if (content.Has(blob.Digest)) return;
        await _downloads.ReadAsync(new LayerPlan(blob, default, "", ""), SkipAsync, cancellation);
    }

    private static async Task<LayerReport> SkipAsync(Stream stream, CancellationToken cancellation)
    {
        await stream.CopyToAsync(Stream.Null, cancellation);
        return new LayerReport(0, 0, 0, 0, 0);
    }
}
