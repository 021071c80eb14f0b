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
        requests.SendAsync<ContentAdded>(
            new AddContent(space, [.. Entries(image, source).Where(entry => content.Has(Digest.Parse(entry.Digest)))]), cancellation);

    /// <summary>Gives names one after another, the one that people know last: who sees it finds the others too.</summary>
    public async Task NameAsync(
        NamespaceName space, ImmutableArray<string> names, Descriptor target, CancellationToken cancellation)
    {
        var named = new ImageTarget(target.MediaType, target.Digest.ToString(), target.Size);
        foreach (var name in names)
            await requests.SendAsync<ImageView>(new PutImage(space, name, named, NameLabels, Replace: true), cancellation);
    }

    internal IEnumerable<ContentEntry> Entries(ImageDocuments image, ImageReference? source)
    {
        var common = source is null ? NoLabels : NoLabels.Add(ContentState.SourceLabelPrefix + source.Domain, source.Path);
        // All of an index's manifests are named, also those for other platforms, as containerd does.
        foreach (var index in image.Indexes)
            yield return Entry(index, Refs(common, "m.", ChildrenOf(index)));
        yield return Entry(
            image.Manifest,
            Refs(common, "l.", image.Content.Layers).SetItem($"{ContentRefLabel}.config", image.Content.Config.Digest.ToString()));
        var chain = ChainId.Of(image.Config.Rootfs.DiffIds);
        yield return Entry(
            image.Content.Config, chain.IsEmpty ? common : common.SetItem($"{SnapshotRefLabel}.{snapshotter}", chain.ToString()));
        foreach (var (layer, diffId) in image.Content.Layers.Zip(image.Config.Rootfs.DiffIds))
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
