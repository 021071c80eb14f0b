using Runtime.Faults;
using Runtime.Oci.Images;

namespace Runtime.Oci.Registry;

/// <summary>Bytes of a manifest or index, with the digest that they have.</summary>
/// <param name="Host">Who gave them.</param>
public sealed record FetchedManifest(Descriptor Descriptor, ReadOnlyMemory<byte> Bytes, string Host)
{
    /// <exception cref="FaultException">As <see cref="ManifestReader.Read"/>.</exception>
    public ManifestDocument Read() => ManifestReader.Read(Bytes, Descriptor.MediaType);
}

public sealed partial class RegistrySession
{
    private const string AcceptManifests =
        $"{MediaTypes.OciIndex}, {MediaTypes.OciManifest}, {MediaTypes.DockerManifestList}, {MediaTypes.DockerManifest}";

    /// <summary>
    /// What the session's reference stands for now. Asks by HEAD, which registries do not count against their rate limit, and by
    /// GET only where the answer says too little. A digest in the reference must come back.
    /// </summary>
    /// <exception cref="FaultException">See <see cref="RegistrySession"/>; also Unimplemented <c>manifest.schema1</c>.</exception>
    public async Task<Descriptor> ResolveAsync(CancellationToken cancellation)
    {
        try
        {
            var request = Manifest(HttpMethod.Head, _reference.Target, !_reference.Digest.IsEmpty);
            if (await AskAsync(request, NeededToResolve, (host, response) => Task.FromResult(Described(host, response)), cancellation)
                is { } described)
            {
                return described;
            }
        }
        catch (FaultException refused) when (refused.Fault.Code is "registry.refused")
        {
            // Some registries know no HEAD; GET tells what is really wrong.
        }
        return (await GetManifestAsync(_reference.Target, _reference.Digest, null, NeededToResolve, cancellation)).Descriptor;
    }

    /// <summary>The manifest or index of this digest, checked. Its descriptor has what the answer said as media type.</summary>
    public Task<FetchedManifest> FetchManifestAsync(Digest digest, CancellationToken cancellation) =>
        GetManifestAsync(digest.ToString(), digest, null, HostCapabilities.Pull, cancellation);

    /// <summary>The manifest or index that the descriptor points to: digest and size are checked, its media type counts.</summary>
    public Task<FetchedManifest> FetchManifestAsync(Descriptor descriptor, CancellationToken cancellation) =>
        GetManifestAsync(descriptor.Digest.ToString(), descriptor.Digest, descriptor, HostCapabilities.Pull, cancellation);

    // A host that may not choose what a tag stands for may still answer for a digest.
    private HostCapabilities NeededToResolve => _reference.Digest.IsEmpty ? HostCapabilities.Resolve : HostCapabilities.Pull;

    private Task<FetchedManifest> GetManifestAsync(
        string target, Digest expected, Descriptor? descriptor, HostCapabilities needed, CancellationToken cancellation)
    {
        var request = Manifest(HttpMethod.Get, target, !expected.IsEmpty);
        return AskAsync(
            request, needed,
            async (host, response) =>
            {
                using (response)
                {
                    var bytes = await BoundedBody.ReadAsync(response, ManifestReader.MaxBytes, cancellation)
                        ?? throw RegistryFaults.BadAnswer(
                            host.Authority, request.What, $"a manifest has {ManifestReader.MaxBytes} bytes at most");
                    var digest = Digest.Of(expected.IsEmpty ? DigestAlgorithm.Sha256 : expected.Algorithm, bytes);
                    if (!expected.IsEmpty && digest != expected)
                        throw RegistryFaults.WrongDigest(host.Authority, request.What, digest.ToString());
                    if (descriptor is not null && descriptor.Size != bytes.Length)
                    {
                        throw RegistryFaults.WrongSize(
                            host.Authority, request.What, $"{bytes.Length} bytes instead of {descriptor.Size}");
                    }
                    var found = descriptor ?? new Descriptor
                    {
                        MediaType = ManifestReader.Read(bytes, response.Content.Headers.ContentType?.MediaType).MediaType!,
                        Digest = digest,
                        Size = bytes.Length,
                    };
                    return new FetchedManifest(found, bytes, host.Authority);
                }
            },
            cancellation);
    }

    // Null when the headers say too little.
    private Descriptor? Described(RegistryHost host, HttpResponseMessage response)
    {
        using (response)
        {
            var mediaType = response.Content.Headers.ContentType?.MediaType;
            if (MediaTypes.IsSchema1(mediaType)) throw ManifestReader.Schema1();
            var said = response.Headers.NonValidated.TryGetValues("Docker-Content-Digest", out var values) ? values.ToString() : null;
            if (!Digest.TryParse(said, out var digest) || response.Content.Headers.ContentLength is not (> 0 and var size)
                || !(MediaTypes.IsManifest(mediaType) || MediaTypes.IsIndex(mediaType)))
            {
                return null;
            }
            if (!_reference.Digest.IsEmpty && digest != _reference.Digest)
            {
                // Another algorithm over the same bytes is no contradiction, but only the bytes can tell.
                if (digest.Algorithm != _reference.Digest.Algorithm) return null;
                throw RegistryFaults.WrongDigest(host.Authority, _reference.ToString(), said);
            }
            return new Descriptor { MediaType = mediaType!, Digest = digest, Size = size };
        }
    }

    private RegistryRequest Manifest(HttpMethod method, string target, bool isPinned)
    {
        var what = target == _reference.Target ? _reference.ToString() : $"{_reference.Name}@{target}";
        return new RegistryRequest(method, PathOf("manifests", target), what, AcceptManifests, 0, isPinned);
    }
}
