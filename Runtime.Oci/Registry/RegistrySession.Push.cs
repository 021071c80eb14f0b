using System.Net;
using System.Net.Http.Headers;
using Runtime.Faults;
using Runtime.Oci.Images;

namespace Runtime.Oci.Registry;

public sealed partial class RegistrySession
{
    /// <summary>Whether the repository has the blob, or the manifest.</summary>
    public Task<bool> HasAsync(Descriptor content, CancellationToken cancellation)
    {
        var kind = IsDocument(content) ? "manifests" : "blobs";
        var request = new RegistryRequest(
            HttpMethod.Head, PathOf(kind, content.Digest.ToString()), $"{content.Digest} of {_reference.Name}",
            kind == "manifests" ? AcceptManifests : null, 0, IsPinned: true)
        {
            IsAnswer = status => status is HttpStatusCode.NotFound,
        };
        return AskPushHostAsync(request, _retries.Options.Attempts, (_, response) =>
        {
            using (response) return Task.FromResult(response.IsSuccessStatusCode);
        }, cancellation);
    }

    /// <summary>
    /// Uploads a blob, unless the registry can take it from another repository of its own (distribution spec 1.1, "Mounting a blob from
    /// another repository") or has it.
    /// </summary>
    /// <param name="source">A repository of the same registry that should have it; empty for none.</param>
    /// <param name="open">Its bytes from the start; called again for another attempt, and closed.</param>
    /// <param name="sent">How many bytes are on their way; may go back when an attempt begins anew.</param>
    /// <returns>False when no bytes had to be sent.</returns>
    public async Task<bool> PushBlobAsync(
        Descriptor blob, string source, Func<Stream> open, IProgress<long> sent, CancellationToken cancellation)
    {
        if (await HasAsync(blob, cancellation)) return false;
        var what = $"blob {blob.Digest} of {_reference.Name}";
        // An upload's place may be good for one attempt only: each begins with a new one.
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                if (await BeginUploadAsync(blob, source, what, cancellation) is not { } place) return false;
                await UploadAsync(blob, place, open, sent, what, cancellation);
                return true;
            }
            catch (FaultException failed) when (attempt < _retries.Options.Attempts && RegistryFaults.IsWorthRetrying(failed.Fault))
            {
                if (!await _retries.WaitAsync(attempt, null, cancellation)) throw;
            }
        }
    }

    /// <summary>Stores a manifest or index under its digest, or under a tag.</summary>
    /// <param name="tag">Empty: only its digest.</param>
    /// <exception cref="FaultException">DataLoss <c>registry.digest-mismatch</c> when the registry stored other bytes.</exception>
    public Task PushManifestAsync(Descriptor manifest, ReadOnlyMemory<byte> bytes, string tag, CancellationToken cancellation)
    {
        var target = tag.Length > 0 ? tag : manifest.Digest.ToString();
        var what = $"{_reference.Name}{(tag.Length > 0 ? ":" : "@")}{target}";
        var request = new RegistryRequest(HttpMethod.Put, PathOf("manifests", target), what, null, 0, IsPinned: false)
        {
            Content = () => new ReadOnlyMemoryContent(bytes) { Headers = { ContentType = new MediaTypeHeaderValue(manifest.MediaType) } },
        };
        return AskPushHostAsync(request, _retries.Options.Attempts, (host, response) =>
        {
            using (response)
            {
                if (response.Headers.NonValidated.TryGetValues("Docker-Content-Digest", out var said)
                    && Digest.TryParse(said.ToString(), out var stored) && stored.Algorithm == manifest.Digest.Algorithm && stored != manifest.Digest)
                    throw RegistryFaults.WrongDigest(host.Authority, what, stored.ToString());
                return Task.FromResult(true);
            }
        }, cancellation);
    }

    /// <summary>Where to send the bytes; null when the registry has mounted the blob.</summary>
    private Task<Uri?> BeginUploadAsync(Descriptor blob, string source, string what, CancellationToken cancellation)
    {
        var query = source.Length > 0 && source != _reference.Path
            ? $"?mount={Uri.EscapeDataString(blob.Digest.ToString())}&from={Uri.EscapeDataString(source)}"
            : "";
        var request = new RegistryRequest(HttpMethod.Post, PathOf("blobs", "uploads/") + query, what, null, 0, IsPinned: false)
        {
            Content = () => new ByteArrayContent([]),
        };
        return AskPushHostAsync<Uri?>(request, _retries.Options.Attempts, (host, response) =>
        {
            using (response)
            {
                if (response.StatusCode is HttpStatusCode.Created) return Task.FromResult<Uri?>(null);
                if (response.Headers.Location is not { } location)
                    throw RegistryFaults.BadAnswer(host.Authority, what, "it does not say where to send the blob");
                var place = new Uri(response.RequestMessage!.RequestUri!, location);
                return place.Scheme == host.Root.Scheme || place.Scheme == "https"
                    ? Task.FromResult<Uri?>(place)
                    : throw RegistryFaults.BadAnswer(host.Authority, what, "it wants the blob without TLS");
            }
        }, cancellation);
    }

    private async Task UploadAsync(
        Descriptor blob, Uri place, Func<Stream> open, IProgress<long> sent, string what, CancellationToken cancellation)
    {
        var digest = $"digest={Uri.EscapeDataString(blob.Digest.ToString())}";
        var builder = new UriBuilder(place);
        builder.Query = builder.Query.Length > 1 ? $"{builder.Query[1..]}&{digest}" : digest;
        var request = new RegistryRequest(HttpMethod.Put, "", what, null, 0, IsPinned: false)
        {
            Location = builder.Uri,
            IsUpload = true,
            Content = () => new UploadContent(open, blob.Size, sent),
        };
        // Not again to the same place: it may be good for once only.
        await AskPushHostAsync(request, attempts: 1, (_, response) =>
        {
            response.Dispose();
            return Task.FromResult(true);
        }, cancellation);
    }

    /// <summary>Of the first host that takes pushes, and no other: an image is to be in one place, whole.</summary>
    private async Task<T> AskPushHostAsync<T>(
        RegistryRequest request, int attempts, Func<RegistryHost, HttpResponseMessage, Task<T>> read, CancellationToken cancellation)
    {
        var (host, authorizer) = _hosts.FirstOrDefault(entry => entry.Host.Capabilities.HasFlag(HostCapabilities.Push));
        if (host is null)
        {
            throw new FaultException(
                FaultKind.FailedPrecondition, "registry.no-host", $"No host of {_reference.Domain} is configured to take {request.What}.");
        }
        var (value, fault) = await AskAsync(host, authorizer, request, attempts, read, cancellation);
        return fault is null ? value! : throw fault.ToException();
    }

    private static bool IsDocument(Descriptor content) => MediaTypes.IsManifest(content.MediaType) || MediaTypes.IsIndex(content.MediaType);
}
