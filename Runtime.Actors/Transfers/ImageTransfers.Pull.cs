using System.Collections.Immutable;
using Runtime.Actors.Content;
using Runtime.Actors.Images;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Pulls;
using Runtime.Faults;
using Runtime.Oci.Images;

namespace Runtime.Actors.Transfers;

public sealed partial class ImageTransfers
{
    /// <remarks>
    /// 1. what the reference stands for; 2. manifests and configs; 3. layers, unpacked on the way where that is asked for; 4. records
    /// and names.
    /// </remarks>
    public async Task PullAsync(
        NamespaceName space, RegistryEnd source, ImageEnd destination, Action<TransferProgress> progress, CancellationToken cancellation)
    {
        var reference = ImageReference.Parse(source.Reference);
        progress(TransferProgress.Of($"Resolving from {reference}"));
        using var session = registry.Open(reference, CredentialOf(source), HostsOf(source, reference));
        using var used = pins.Begin();
        using var stalls = new StallGuard(options.PullProgressTimeout, clock);
        var pull = new PullProgress(source.Reference, clock.GetUtcNow());
        var fetch = new ImageFetch(content, session, used, pull, stalls);

        var target = await fetch.ResolveAsync(cancellation);
        progress(TransferProgress.Of($"Pulling from {reference}"));
        progress(TransferProgress.Of("fetching image content", destination.Name, target));
        await new ProgressFeed(pull, destination.Name, progress, clock)
            .WatchAsync(FetchAsync(space, reference, destination, target, fetch, used, cancellation));
        await NameAsync(space, destination, target, cancellation);
        foreach (var name in destination.Names) progress(TransferProgress.Of("saved", name, target));
        progress(TransferProgress.Of($"Completed pull from {reference}"));
    }

    private async Task<bool> FetchAsync(
        NamespaceName space, ImageReference reference, ImageEnd destination, Descriptor target, ImageFetch fetch,
        ContentPins.PinSet used, CancellationToken cancellation)
    {
        if (destination.AllMetadata) await MetadataAsync(target, fetch, cancellation);
        var images = await new ImageTree(fetch.DocumentAsync, MatchersOf(destination.Platforms)).ReadAsync(target, cancellation);
        using var slots = new SemaphoreSlim(Math.Max(1, options.MaxConcurrentDownloads));
        foreach (var image in images)
        {
            var config = await ConfigAsync(image, fetch, cancellation);
            if (config is not null && UnpackerOf(destination, image, config) is { } unpacker)
            {
                await UnpackAsync(space, image, config, unpacker, fetch, used, cancellation);
                await RecorderOf(unpacker.Snapshotter).RecordAsync(space, image.Indexes, image.Descriptor, image.Manifest, config, reference, cancellation);
                continue;
            }
            await Task.WhenAll(image.Manifest.Layers.Select(layer => SlottedAsync(layer)));
            await RecorderOf(options.Snapshotter).RecordAsync(space, image.Indexes, image.Descriptor, image.Manifest, config, reference, cancellation);
        }
        return true;

        async Task SlottedAsync(Descriptor layer)
        {
            await slots.WaitAsync(cancellation);
            try
            {
                await fetch.BlobAsync(layer, cancellation);
            }
            finally
            {
                slots.Release();
            }
        }
    }

    private static async Task MetadataAsync(Descriptor target, ImageFetch fetch, CancellationToken cancellation)
    {
        foreach (var image in await new ImageTree(fetch.DocumentAsync, []).ReadAsync(target, cancellation))
            await ConfigAsync(image, fetch, cancellation);
    }

    /// <summary>Null for an artifact, whose config means something else.</summary>
    private static async Task<ImageConfig?> ConfigAsync(ImageNode image, ImageFetch fetch, CancellationToken cancellation)
    {
        if (!MediaTypes.IsConfig(image.Manifest.Config.MediaType))
        {
            await fetch.BlobAsync(image.Manifest.Config, cancellation);
            return null;
        }
        return ImageConfig.Parse(await fetch.DocumentAsync(image.Manifest.Config, cancellation));
    }

    private async Task UnpackAsync(
        NamespaceName space, ImageNode image, ImageConfig config, ImageUnpacker unpacker, ImageFetch fetch, ContentPins.PinSet used,
        CancellationToken cancellation)
    {
        var layers = LayerPlan.Of(image.Manifest, config);
        foreach (var layer in layers)
        {
            await fetch.ExpectAsync(layer.Blob, cancellation);
            await used.AddAsync(ContentPins.OfSnapshot(space.Value, unpacker.Snapshotter, layer.ChainId), cancellation);
        }
        await unpacker.UnpackAsync(space, layers, fetch.Layers, options.MaxConcurrentDownloads, _ => { }, cancellation);
        // What was unpacked before may have lost its blob since; a push needs it.
        foreach (var layer in layers) await fetch.BlobAsync(layer.Blob, cancellation);
    }

    private ImageUnpacker? UnpackerOf(ImageEnd end, ImageNode image, ImageConfig config)
    {
        var platform = image.Descriptor.Platform ?? config.Platform;
        foreach (var (wanted, snapshotter) in end.Unpack)
        {
            if (!new PlatformMatcher(wanted).Matches(platform)) continue;
            var name = snapshotter.Length > 0 ? snapshotter : options.Snapshotter;
            return unpackers.GetValueOrDefault(name) ?? throw new FaultException(
                FaultKind.InvalidArgument, "snapshot.no-snapshotter", $"There is no snapshotter \"{name}\".");
        }
        return null;
    }

    private ImageRecorder RecorderOf(string snapshotter) => new(requests, content, snapshotter);
}
