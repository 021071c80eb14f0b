using System.Collections.Immutable;
using Runtime.Actors.Namespaces;

namespace Runtime.Actors.Images;

/// <summary>Images in and out of tar archives: OCI layout, and what <c>docker save</c> writes.</summary>
public interface IImageArchives
{
    /// <summary>Stores and unpacks every image of the archive. Nothing is named before all of its blobs are verified.</summary>
    /// <param name="nameOverride">Names an archive of one image that carries no name; null for none.</param>
    Task<ImmutableArray<ImageView>> ImportAsync(
        NamespaceName space, Stream archive, string? nameOverride, CancellationToken cancellation);

    /// <summary>Writes an OCI layout that <c>docker load</c> reads too.</summary>
    Task ExportAsync(NamespaceName space, ImmutableArray<string> names, Stream archive, CancellationToken cancellation);
}
