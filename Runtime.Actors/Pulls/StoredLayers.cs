using Runtime.Actors.Content;
using Runtime.Oci.Layers;

namespace Runtime.Actors.Pulls;

/// <summary>Layers that are in the content store.</summary>
internal sealed class StoredLayers(ContentStore content) : ILayerSource
{
    public async Task<LayerReport> ReadAsync(
        LayerPlan layer, Func<Stream, CancellationToken, Task<LayerReport>> unpack, CancellationToken cancellation)
    {
        await using var blob = content.OpenRead(layer.Blob.Digest);
        return await unpack(blob, cancellation);
    }
}
