using Runtime.Actors.Content;
using Runtime.Actors.Namespaces;
using Runtime.Oci.Images;

namespace Runtime.Actors.Transfers;

public sealed partial class ImageTransfers
{
    /// <remarks>Blobs before the manifests that name them, manifests before their indexes: a registry takes no other order.</remarks>
    public async Task PushAsync(
        NamespaceName space, ImageEnd source, RegistryEnd destination, Action<TransferProgress> progress, CancellationToken cancellation)
    {
        var reference = ImageReference.Parse(destination.Reference);
        var target = TargetOf(Named(space, source.Name));
        using var used = pins.Begin();
        var images = await new ImageTree((document, stop) => StoredAsync(space, document, used, stop), MatchersOf(source.Platforms))
            .ReadAsync(target, cancellation);
        var blobs = images.SelectMany(image => image.Manifest.Layers.Append(image.Manifest.Config))
            .Where(blob => !MediaTypes.IsNondistributable(blob.MediaType)).DistinctBy(blob => blob.Digest).ToList();
        foreach (var blob in blobs) await PinAsync(space, blob, used, cancellation);

        progress(TransferProgress.Of($"Pushing to {reference}"));
        progress(TransferProgress.Of("pushing content", source.Name, target));
        using var session = registry.OpenForPush(
            reference, CredentialOf(destination), HostsOf(destination, reference),
            [.. blobs.Select(blob => RepositoryOf(space, blob, reference)).Where(repository => repository.Length > 0).Distinct()]);
        using var slots = new SemaphoreSlim(Math.Max(1, options.MaxConcurrentDownloads));
        await Task.WhenAll(blobs.Select(blob => BlobAsync(blob)));
        foreach (var document in images.Select(image => image.Descriptor)
            .Concat(images.SelectMany(image => image.Indexes.Reverse())).DistinctBy(document => document.Digest))
        {
            var tag = document.Digest == target.Digest ? reference.Tag ?? "" : "";
            await session.PushManifestAsync(document, content.ReadAll(document.Digest), tag, cancellation);
            progress(Told(document, "complete", document.Size));
        }
        progress(TransferProgress.Of($"Completed push to {reference}"));

        async Task BlobAsync(Descriptor blob)
        {
            await slots.WaitAsync(cancellation);
            try
            {
                var sent = new Sent(offset => progress(Told(blob, "uploading", offset)));
                var isNew = await session.PushBlobAsync(
                    blob, RepositoryOf(space, blob, reference), () => content.OpenRead(blob.Digest), sent, cancellation);
                progress(Told(blob, isNew ? "complete" : "already exists", blob.Size));
            }
            finally
            {
                slots.Release();
            }
        }

        TransferProgress Told(Descriptor blob, string @event, long offset) =>
            new(@event, blob.Digest.ToString(), [source.Name], offset, blob.Size, null);
    }

    private async Task<ReadOnlyMemory<byte>> StoredAsync(
        NamespaceName space, Descriptor document, ContentPins.PinSet used, CancellationToken cancellation)
    {
        await PinAsync(space, document, used, cancellation);
        return content.ReadAll(document.Digest);
    }

    private async Task PinAsync(NamespaceName space, Descriptor blob, ContentPins.PinSet used, CancellationToken cancellation)
    {
        await used.AddAsync(blob.Digest.ToString(), cancellation);
        if (records.Find(space, blob.Digest.ToString()) is null || !content.Has(blob.Digest)) throw ContentFaults.NotFound(blob.Digest);
    }

    /// <summary>Where the blob was pulled from, if that is the same registry: it can be mounted from there.</summary>
    private string RepositoryOf(NamespaceName space, Descriptor blob, ImageReference reference) =>
        records.Find(space, blob.Digest.ToString())?.Labels.GetValueOrDefault(ContentState.SourceLabelPrefix + reference.Domain)
            ?.Split(',')[0] ?? "";

    private sealed class Sent(Action<long> tell) : IProgress<long>
    {
        /// <summary>Bytes between two messages.</summary>
        private const long Step = 1 << 20;

        private long _told;

        public void Report(long value)
        {
            if (value >= _told && value - _told < Step) return;
            _told = value;
            tell(value);
        }
    }
}
