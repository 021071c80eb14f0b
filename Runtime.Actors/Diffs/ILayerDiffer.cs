using System.Collections.Immutable;
using Runtime.Actors.Namespaces;
using Runtime.Faults;
using Runtime.Linux.Mounts;
using Runtime.Oci.Images;

namespace Runtime.Actors.Diffs;

/// <summary>Between layers as archives in the content store and layers as mounts.</summary>
public interface ILayerDiffer
{
    /// <summary>Unpacks a layer of the content store into mounts.</summary>
    /// <param name="sync">Return when all of it is on disk.</param>
    /// <returns>The uncompressed layer: its digest is the diff id.</returns>
    /// <exception cref="FaultException">
    /// NotFound for content that the namespace does not have; Unimplemented <c>diff.unsupported-media-type</c>; a fault of the layer.
    /// </exception>
    Task<Descriptor> ApplyAsync(
        NamespaceName space, Descriptor layer, ImmutableArray<MountSpec> mounts, bool sync, CancellationToken cancellation);

    /// <summary>Packs what differs between two sets of mounts into a layer, which becomes the namespace's content.</summary>
    /// <returns>The layer as it is stored.</returns>
    /// <exception cref="FaultException">Unimplemented <c>diff.unsupported-media-type</c>; Unavailable for a reference in use.</exception>
    Task<Descriptor> DiffAsync(NamespaceName space, LayerDiff diff, CancellationToken cancellation);
}

/// <summary>What <see cref="ILayerDiffer.DiffAsync"/> packs, and how.</summary>
/// <param name="Lower">What the layer builds on; nothing when empty.</param>
/// <param name="Upper">What the layer is to show.</param>
public sealed record LayerDiff(ImmutableArray<MountSpec> Lower, ImmutableArray<MountSpec> Upper)
{
    /// <summary>Of an OCI or Docker layer: says how it is compressed.</summary>
    public string MediaType { get; init; } = MediaTypes.OciLayerGzip;

    /// <summary>Name of the ingest; empty for one of its own.</summary>
    public string Reference { get; init; } = "";

    /// <summary>Of the content.</summary>
    public ImmutableSortedDictionary<string, string> Labels { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>No time in the layer is later (SOURCE_DATE_EPOCH); null: times are as they are.</summary>
    public DateTimeOffset? NewestTime { get; init; }
}
