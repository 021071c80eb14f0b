using System.Collections.Immutable;
using Runtime.Actors.Content;
using Runtime.Actors.Images;
using Runtime.Actors.Namespaces;
using Runtime.Faults;
using Runtime.Oci.Images;
using Runtime.Oci.Registry;

namespace Runtime.Actors.Pulls;

/// <summary>Pulls from registries.</summary>
public sealed class PullPipeline(
    RegistryClient registry, ContentStore content, ContentPins pins, ImageUnpacker unpacker, ImageRecorder recorder,
    ImageOptions options, TimeProvider clock) : IPullPipeline
{
    /// <summary>Index in index.</summary>
    private const int DepthMax = 4;

    /// <remarks>
    /// 1. what the reference stands for, asked with the caller's credentials even when all is here; 2. manifest and config for
    /// the platform; 3. layers; 4. records and names.
    /// </remarks>
    public async Task<ImagePulled> RunAsync(PullImage pull, PullProgress progress, CancellationToken cancellation)
    {
        var reference = ImageReference.Parse(pull.EntityId);
        var matcher = new PlatformMatcher(pull.Platform.Length > 0 ? Platform.Parse(pull.Platform) : Platform.Host);
        using var session = registry.Open(reference, CredentialOf(pull.Auth));
        using var used = pins.Begin();
        using var stalls = new StallGuard(options.PullProgressTimeout, clock);

        var target = await stalls.WatchAsync(() => session.ResolveAsync(cancellation), cancellation);
        progress.Report("fetching manifest");
        var documents = await DocumentsAsync(session, target, matcher, [], used, stalls, cancellation)
            ?? throw new FaultException(FaultKind.NotFound, "image.no-platform", $"{reference} has no image for {matcher.Wanted}.");

        var layers = LayerPlan.Of(documents.Content, documents.Config);
        foreach (var layer in layers)
        {
            await used.AddAsync(layer.Blob.Digest.ToString(), cancellation);
            await used.AddAsync(ContentPins.OfSnapshot(pull.Space.Value, unpacker.Snapshotter, layer.ChainId), cancellation);
            progress.Add(layer.Blob, unpacker.Has(pull.Space, layer.ChainId) ? "exists" : "waiting");
        }
        progress.Report("pulling");
        await AttemptAsync(pull.Space, layers, new LayerDownloads(content, session, progress, stalls), cancellation);

        progress.Report("naming");
        await recorder.RecordAsync(pull.Space, documents, reference, cancellation);
        var names = NamesOf(reference, target.Digest, documents.Content.Config.Digest);
        await recorder.NameAsync(pull.Space, names, target, cancellation);
        progress.Report("done");
        return new ImagePulled(names[^1], documents.Content.Config.Digest.ToString(), target.Digest.ToString());
    }

    /// <summary>CRI's names, as containerd gives them: the id, <c>name@digest</c>, and the tag unless the reference has a digest.</summary>
    internal static ImmutableArray<string> NamesOf(ImageReference reference, Digest target, Digest config) =>
        reference.RepoTag is { } tag
            ? [config.ToString(), reference.RepoDigest(target), tag]
            : [config.ToString(), reference.RepoDigest(target)];

    /// <summary>An ingest that was taken up and turned out wrong, after a power loss, is gone then: once more from its start.</summary>
    private async Task AttemptAsync(
        NamespaceName space, ImmutableArray<LayerPlan> layers, LayerDownloads downloads, CancellationToken cancellation)
    {
        var resumed = content.Statuses().Where(ingest => ingest.Offset > 0).Select(ingest => ingest.Reference).ToHashSet();
        try
        {
            await UnpackAsync();
        }
        catch (FaultException wrong) when (wrong.Fault.Code is "content.digest-mismatch"
            && layers.Any(layer => resumed.Contains(LayerDownloads.RefOf(layer))))
        {
            await UnpackAsync();
        }

        Task UnpackAsync() => unpacker.UnpackAsync(
            space, layers, downloads, options.MaxConcurrentDownloads, _ => { }, cancellation);
    }

    /// <summary>Null when there is nothing for the platform.</summary>
    private async Task<ImageDocuments?> DocumentsAsync(
        RegistrySession session, Descriptor target, PlatformMatcher matcher, ImmutableArray<Descriptor> above,
        ContentPins.PinSet used, StallGuard stalls, CancellationToken cancellation)
    {
        if (above.Length > DepthMax) return null;
        var bytes = await ManifestAsync(session, target, used, stalls, cancellation);
        switch (ManifestReader.Read(bytes, target.MediaType))
        {
            case ImageIndex index:
                foreach (var entry in matcher.Select(index))
                {
                    if (await DocumentsAsync(session, entry, matcher, above.Add(target), used, stalls, cancellation) is { } found)
                        return found;
                }
                return null;
            case ImageManifest manifest:
                if (!MediaTypes.IsConfig(manifest.Config.MediaType))
                    throw new FaultException(FaultKind.FailedPrecondition, "image.not-an-image",
                        $"{session.Reference} is an artifact ({manifest.Config.MediaType}), not a container image.");
                var config = ImageConfig.Parse(await ConfigAsync(session, manifest.Config, used, stalls, cancellation));
                // An entry of an index may not say what it is for; then its config does. What was asked for by itself is taken as it is.
                if (above.Length > 0 && target.Platform is null && !matcher.Matches(config.Platform)) return null;
                return new ImageDocuments(above, target, manifest, config);
            default:
                return null;
        }
    }

    private async Task<ReadOnlyMemory<byte>> ManifestAsync(
        RegistrySession session, Descriptor target, ContentPins.PinSet used, StallGuard stalls, CancellationToken cancellation)
    {
        await used.AddAsync(target.Digest.ToString(), cancellation);
        if (content.Has(target.Digest)) return content.ReadAll(target.Digest);
        var fetched = await stalls.WatchAsync(() => session.FetchManifestAsync(target, cancellation), cancellation);
        var kind = MediaTypes.IsIndex(target.MediaType) ? "index" : "manifest";
        await content.PutAsync($"{kind}-{target.Digest}", target.Digest, fetched.Bytes, cancellation);
        return fetched.Bytes;
    }

    private async Task<ReadOnlyMemory<byte>> ConfigAsync(
        RegistrySession session, Descriptor blob, ContentPins.PinSet used, StallGuard stalls, CancellationToken cancellation)
    {
        await used.AddAsync(blob.Digest.ToString(), cancellation);
        if (content.Has(blob.Digest)) return content.ReadAll(blob.Digest);
        if (blob.Size > ManifestReader.MaxBytes)
            throw new FaultException(FaultKind.InvalidArgument, "image-config.malformed",
                $"The image config {blob.Digest} has {blob.Size} bytes; {ManifestReader.MaxBytes} are allowed.");
        var bytes = new byte[blob.Size];
        await using var stream = await stalls.WatchAsync(() => session.OpenBlobAsync(blob, 0, cancellation), cancellation);
        for (var filled = 0; filled < bytes.Length;)
        {
            var read = await stalls.WatchAsync(() => stream.ReadAsync(bytes.AsMemory(filled), cancellation).AsTask(), cancellation);
            if (read == 0) break;
            filled += read;
            stalls.Progressed();
        }
        await content.PutAsync($"config-{blob.Digest}", blob.Digest, bytes, cancellation);
        return bytes;
    }

    private static RegistryCredential? CredentialOf(RegistryAuth? auth) => auth is null
        ? null
        : new RegistryCredential
        {
            Username = auth.Username,
            Password = auth.Password,
            IdentityToken = auth.IdentityToken,
            RegistryToken = auth.RegistryToken,
            ServerAddress = auth.ServerAddress,
        };
}
