using Runtime.Oci.Images;

namespace Runtime.Oci.Archives;

/// <summary>Where the blobs of an archive come from while it is written: a content store.</summary>
public interface IBlobSource
{
    /// <summary>The blob from its start; null when there is none.</summary>
    Task<Stream?> OpenAsync(Digest digest, CancellationToken cancellation);
}
