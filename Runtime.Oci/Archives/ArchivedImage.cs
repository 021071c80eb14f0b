using System.Collections.Immutable;
using Runtime.Oci.Images;

namespace Runtime.Oci.Archives;

/// <summary>An image of an archive.</summary>
/// <param name="Names">Normalised references, <c>docker.io/library/busybox:1</c>. Empty when the archive gives none.</param>
/// <param name="Tag">A bare tag that the archive gives instead of a name, as an OCI layout made by umoci does; null for none.</param>
/// <param name="Target">What the names stand for: a manifest or an index.</param>
/// <param name="Manifest">The manifest for the platform that was asked for; all of its blobs are there.</param>
public sealed record ArchivedImage(ImmutableArray<string> Names, string? Tag, Descriptor Target, Descriptor Manifest);
