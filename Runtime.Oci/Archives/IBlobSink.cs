using Runtime.Oci.Images;

namespace Runtime.Oci.Archives;

/// <summary>Where the blobs of an archive go while it is read: a content store's ingests.</summary>
/// <remarks>
/// An archive is a stream that is read once, and often tells only at its end what its blobs were for. So every blob is stored as
/// it comes, and small ones (manifests, configs) are read back. What no image needs in the end is the caller's to collect.
/// Calls come one after another.
/// </remarks>
public interface IBlobSink
{
    /// <summary>Stores <paramref name="content"/> to its end; a blob that is there already is read to its end too, or skipped.</summary>
    /// <param name="expected">What the archive says; the blob is refused (DataLoss) when it is not so. Empty: compute sha256.</param>
    /// <param name="size">Bytes that will come.</param>
    Task<Digest> StoreAsync(Stream content, Digest expected, long size, CancellationToken cancellation);

    /// <summary>A stored blob whole; null when there is none, or it has more than <paramref name="maxBytes"/>.</summary>
    Task<byte[]?> ReadAsync(Digest digest, int maxBytes, CancellationToken cancellation);

    /// <summary>True when the blob was stored, now or before.</summary>
    Task<bool> HasAsync(Digest digest, CancellationToken cancellation);
}
