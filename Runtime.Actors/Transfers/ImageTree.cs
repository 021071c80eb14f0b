using System.Collections.Immutable;
using Runtime.Faults;
using Runtime.Oci.Images;

namespace Runtime.Actors.Transfers;

/// <summary>A manifest of an image and the indexes that lead to it, outermost first.</summary>
internal sealed record ImageNode(ImmutableArray<Descriptor> Indexes, Descriptor Descriptor, ImageManifest Manifest);

/// <summary>Walks an image from its target to the manifests of the platforms that are wanted.</summary>
/// <param name="read">Bytes of a manifest or index; null for one that need not be there and is not.</param>
/// <param name="wanted">Empty: all, artifacts such as attestations too.</param>
internal sealed class ImageTree(
    Func<Descriptor, CancellationToken, Task<ReadOnlyMemory<byte>>> read, ImmutableArray<PlatformMatcher> wanted)
{
    /// <summary>Index in index.</summary>
    private const int DepthMax = 4;

    /// <exception cref="FaultException">NotFound <c>image.no-platform</c>.</exception>
    public async Task<ImmutableArray<ImageNode>> ReadAsync(Descriptor target, CancellationToken cancellation)
    {
        var found = ImmutableArray.CreateBuilder<ImageNode>();
        await WalkAsync(target, [], found, cancellation);
        return found.Count > 0
            ? found.ToImmutable()
            : throw new FaultException(FaultKind.NotFound, "image.no-platform",
                $"{target.Digest} has no image for {string.Join(", ", wanted.Select(matcher => matcher.Wanted))}.");
    }

    private async Task WalkAsync(
        Descriptor at, ImmutableArray<Descriptor> above, ImmutableArray<ImageNode>.Builder found, CancellationToken cancellation)
    {
        if (above.Length > DepthMax || found.Any(node => node.Descriptor.Digest == at.Digest)) return;
        switch (ManifestReader.Read(await read(at, cancellation), at.MediaType))
        {
            case ImageManifest manifest:
                found.Add(new ImageNode(above, at, manifest));
                break;
            case ImageIndex index:
                foreach (var entry in Chosen(index)) await WalkAsync(entry, above.Add(at), found, cancellation);
                break;
        }
    }

    private IEnumerable<Descriptor> Chosen(ImageIndex index) => wanted.IsEmpty
        ? index.Manifests.Where(entry => MediaTypes.IsManifest(entry.MediaType) || MediaTypes.IsIndex(entry.MediaType))
        : wanted.SelectMany(matcher => matcher.Select(index).Take(1)).DistinctBy(entry => entry.Digest);
}
