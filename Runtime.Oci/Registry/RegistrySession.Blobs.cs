using System.Net;
using Runtime.Faults;
using Runtime.Oci.Images;

namespace Runtime.Oci.Registry;

public sealed partial class RegistrySession
{
    /// <summary>
    /// Opens a blob for reading from <paramref name="offset"/>. The stream resumes by itself when the connection is cut or stalls,
    /// ends after exactly the descriptor's size, and does not check the digest: who stores it does.
    /// </summary>
    /// <param name="offset">Bytes that the caller has already; less than the size, or 0.</param>
    /// <exception cref="FaultException">See <see cref="RegistrySession"/>; OutOfRange <c>registry.range</c> for a wrong offset.</exception>
    public async Task<BlobStream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellation)
    {
        if (offset < 0 || (offset > 0 && offset >= blob.Size))
        {
            throw new FaultException(
                FaultKind.OutOfRange, "registry.range", $"{blob.Digest} has {blob.Size} bytes: there is nothing to fetch from {offset}.");
        }
        var part = await OpenPartAsync(blob, offset, cancellation);
        return new BlobStream(this, blob, offset, part);
    }

    internal RetryPolicy Retries => _retries;

    /// <summary>One answer, positioned at <paramref name="offset"/>: skipped to it where the server ignores Range.</summary>
    internal Task<BlobPart> OpenPartAsync(Descriptor blob, long offset, CancellationToken cancellation)
    {
        var what = $"blob {blob.Digest} of {_reference}";
        var request = new RegistryRequest(HttpMethod.Get, PathOf("blobs", blob.Digest.ToString()), what, null, offset, IsPinned: true);
        return AskAsync(
            request, HostCapabilities.Pull,
            async (host, response) =>
            {
                try
                {
                    return await PartAsync(host, response, blob, offset, what, cancellation);
                }
                catch
                {
                    response.Dispose();
                    throw;
                }
            },
            cancellation);
    }

    private async Task<BlobPart> PartAsync(
        RegistryHost host, HttpResponseMessage response, Descriptor blob, long offset, string what, CancellationToken cancellation)
    {
        var headers = response.Content.Headers;
        var isPart = response.StatusCode is HttpStatusCode.PartialContent;
        if (isPart && headers.ContentRange is not { HasRange: true })
            throw RegistryFaults.BadAnswer(host.Authority, what, "it sends a part and does not say which");
        var start = isPart ? headers.ContentRange!.From!.Value : 0;
        if (isPart && (start != offset || headers.ContentRange!.Length is { } all && all != blob.Size))
        {
            throw RegistryFaults.WrongSize(
                host.Authority, what, $"{headers.ContentRange} where {offset} to {blob.Size} was asked for");
        }
        if (!isPart && headers.ContentLength is { } length && length != blob.Size)
            throw RegistryFaults.WrongSize(host.Authority, what, $"{length} bytes instead of {blob.Size}");
        var body = await response.Content.ReadAsStreamAsync(cancellation);
        var part = new BlobPart(response, body, host.Authority, rangeHonoured: start == offset, _retries);
        await part.SkipAsync(offset - start, cancellation);
        return part;
    }
}
