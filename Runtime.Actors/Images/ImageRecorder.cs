using System.Collections.Immutable;
using System.Globalization;
using Runtime.Actors.Content;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Oci.Images;

namespace Runtime.Actors.Images;

/// <summary>What a pull or import brought: the indexes that led to the manifest, outermost first, and what the manifest says.</summary>
public sealed record ImageDocuments(
    ImmutableArray<Descriptor> Indexes, Descriptor Manifest, ImageManifest Content, ImageConfig Config);

/// <summary>Writes down what was brought, with the labels that containerd's clients give and its tools read.</summary>
public sealed class ImageRecorder(EntityRequests requests, ContentStore content, string snapshotter)
{
    public const string UncompressedLabel = "containerd.io/uncompressed";
    public const string ContentRefLabel = "containerd.io/gc.ref.content";
    public const string SnapshotRefLabel = "containerd.io/gc.ref.snapshot";

    private static readonly ImmutableSortedDictionary<string, string> NoLabels = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>containerd's CRI plugin marks names that it may remove.</summary>
    private static readonly ImmutableSortedDictionary<string, string> NameLabels =
        NoLabels.Add("io.cri-containerd.image", "managed");

    /// <param name="source">Where it is from; null for an archive.</param>
    public Task RecordAsync(
        NamespaceName space, ImageDocuments image, ImageReference? source, CancellationToken cancellation) =>
        RecordAsync(space, image.Indexes, image.Manifest, image.Content, image.Config, source, cancellation);

    /// <param name="config">Null for an artifact, which has no root file system.</param>
    public Task RecordAsync(
        NamespaceName space, ImmutableArray<Descriptor> indexes, Descriptor descriptor, ImageManifest manifest, ImageConfig? config,
        ImageReference? source, CancellationToken cancellation) =>
        requests.SendAsync<ContentAdded>(
            new AddContent(space,
                [.. Entries(indexes, descriptor, manifest, config, source).Where(entry => content.Has(Digest.Parse(entry.Digest)))]),
            cancellation);

    /// <summary>Gives names one after another, the one that people know last: who sees it finds the others too.</summary>
    public async Task NameAsync(
        NamespaceName space, ImmutableArray<string> names, Descriptor target, CancellationToken cancellation)
    {
        var named = new ImageTarget(target.MediaType, target.Digest.ToString(), target.Size);
        foreach (var name in names)
            await requests.SendAsync<ImageView>(new PutImage(space, name, named, NameLabels, Replace: true), cancellation);
    }

    private IEnumerable<ContentEntry> Entries(
        ImmutableArray<Descriptor> indexes, Descriptor descriptor, ImageManifest manifest, ImageConfig? config, ImageReference? source)
    {
        var common = source is null ? NoLabels : NoLabels.Add(ContentState.SourceLabelPrefix + source.Domain, source.Path);
        // All of an index's manifests are named, also those for other platforms, as containerd does.
        foreach (var index in indexes)
            yield return Entry(index, Refs(common, "m.", ChildrenOf(index)));
        yield return Entry(
            descriptor,
            Refs(common, "l.", manifest.Layers).SetItem($"{ContentRefLabel}.config", manifest.Config.Digest.ToString()));
        if (config is null)
        {
            foreach (var blob in manifest.Layers.Prepend(manifest.Config)) yield return Entry(blob, common);
            yield break;
        }
        var chain = ChainId.Of(config.Rootfs.DiffIds);
        yield return Entry(
            manifest.Config, chain.IsEmpty ? common : common.SetItem($"{SnapshotRefLabel}.{snapshotter}", chain.ToString()));
        foreach (var (layer, diffId) in manifest.Layers.Zip(config.Rootfs.DiffIds))
            yield return Entry(layer, common.SetItem(UncompressedLabel, diffId.ToString()));
    }

    private ImmutableArray<Descriptor> ChildrenOf(Descriptor index) =>
        ManifestReader.Read(content.ReadAll(index.Digest), index.MediaType).Children;

    private static ContentEntry Entry(Descriptor blob, ImmutableSortedDictionary<string, string> labels) =>
        new(blob.Digest.ToString(), blob.Size, labels);

    private static ImmutableSortedDictionary<string, string> Refs(
        ImmutableSortedDictionary<string, string> labels, string kind, ImmutableArray<Descriptor> children) =>
        labels.SetItems(children.Select((child, number) => KeyValuePair.Create(
            string.Create(CultureInfo.InvariantCulture, $"{ContentRefLabel}.{kind}{number}"), child.Digest.ToString())));
}
