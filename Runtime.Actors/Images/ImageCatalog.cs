using System.Collections.Immutable;
using Runtime.Actors.Content;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Snapshots;
using Runtime.Faults;
using Runtime.Oci.Images;

namespace Runtime.Actors.Images;

/// <summary>Answers from the read models and from manifests and configs that are read once. Thread-safe.</summary>
public sealed class ImageCatalog(
    ReadModel<ImageView> names, ReadModel<SnapshotView> snapshots, ImageInspector inspector, ContentSweep sweep,
    EntityRequests requests, ImageUsage usage, ImageOptions options) : IImageCatalog
{
    /// <summary>containerd's label on a name that image collection has to leave.</summary>
    public const string PinnedLabel = "io.cri-containerd.pinned";

    /// <summary>Digits of an id that are at least needed to mean one.</summary>
    private const int ShortIdMin = 4;

    private readonly string _snapshotter = options.Snapshotter;
    private readonly ImmutableHashSet<string> _pinned = [.. options.PinnedImages.Select(reference => Normal(reference) ?? reference)];

    public ImmutableArray<ImageSummary> List(NamespaceName space) =>
    [
        .. Unpacked(space).GroupBy(image => image.Facts.Config)
            .Select(image => Summary(image.First().Facts, image.Select(named => named.View)))
            .OrderBy(image => image.Id, StringComparer.Ordinal),
    ];

    public ImageSummary? Find(NamespaceName space, string reference)
    {
        if (Resolve(space, reference) is not { } id) return null;
        var named = Unpacked(space).Where(image => image.Facts.Config.ToString() == id).ToList();
        return named.Count == 0 ? null : Summary(named[0].Facts, named.Select(image => image.View));
    }

    public byte[]? ReadConfig(string imageId) => Digest.TryParse(imageId, out var digest) ? inspector.ReadConfig(digest) : null;

    public async Task RemoveAsync(NamespaceName space, string reference, CancellationToken cancellation)
    {
        var all = names.In(space).Values;
        var removed = Resolve(space, reference) is { } id
            ? all.Where(view => inspector.Inspect(view.Target.Digest)?.Config.ToString() == id).ToList()
            // A name whose content is not whole still can be taken away.
            : all.Where(view => view.Name == reference || view.Name == Normal(reference)).ToList();
        if (removed.Count == 0) return;
        var scope = ContentSweep.ScopeOf(removed.Select(view => view.Target.Digest), inspector);
        foreach (var view in removed) await RemoveNameAsync(space, view.Name, cancellation);
        await sweep.CollectAsync(scope, cancellation);
    }

    public Task<ImageFileSystem> UsageAsync(CancellationToken cancellation) => usage.MeasureAsync(cancellation);

    private async Task RemoveNameAsync(NamespaceName space, string name, CancellationToken cancellation)
    {
        try
        {
            await requests.SendAsync<ImageNameRemoved>(new RemoveImageName(space, name), cancellation);
        }
        catch (FaultException gone) when (gone.Fault.Kind is FaultKind.NotFound)
        {
            // Somebody else removes the same image.
        }
    }

    /// <summary>The id that a reference means: a name first, as containerd does, then an id or the unique start of one.</summary>
    private string? Resolve(NamespaceName space, string reference)
    {
        foreach (var name in (string?[])[reference, Normal(reference)])
        {
            if (name is not null && names.Find(space, name) is { } view && inspector.Inspect(view.Target.Digest) is { } facts)
                return facts.Config.ToString();
        }
        var start = reference.StartsWith("sha256:", StringComparison.Ordinal) ? reference : $"sha256:{reference}";
        if (start.Length < "sha256:".Length + ShortIdMin) return null;
        var ids = Facts(space).Select(image => image.Facts.Config.ToString())
            .Where(id => id.StartsWith(start, StringComparison.Ordinal)).Distinct().Take(2).ToList();
        return ids.Count == 1 ? ids[0] : null;
    }

    /// <summary>With a tag and a digest, the digest decides.</summary>
    private static string? Normal(string reference) => ImageReference.TryParse(reference, out var parsed)
        ? (parsed.Digest.IsEmpty ? parsed : parsed.At(parsed.Digest)).ToString()
        : null;

    private IEnumerable<(ImageView View, ImageFacts Facts)> Facts(NamespaceName space)
    {
        foreach (var view in names.In(space).Values)
        {
            if (inspector.Inspect(view.Target.Digest) is { } facts) yield return (view, facts);
        }
    }

    /// <summary>One that was imported without its layers, or lost them, is not there: pulling it makes it whole.</summary>
    private IEnumerable<(ImageView View, ImageFacts Facts)> Unpacked(NamespaceName space) => Facts(space).Where(image =>
        image.Facts.Chain.IsEmpty || snapshots.Find(space, SnapshotId.Of(_snapshotter, image.Facts.ChainIdText)) is not null);

    private ImageSummary Summary(ImageFacts facts, IEnumerable<ImageView> views)
    {
        var all = views.ToList();
        var references = all.Where(view => view.Name != facts.Config.ToString())
            .Select(view => (view.Name, Parsed: ImageReference.TryParse(view.Name, out var parsed) ? parsed : null)).ToList();
        return new ImageSummary
        {
            Id = facts.Config.ToString(),
            // A name that is no reference, given by a client of the image service, is shown as it is.
            RepoTags = Sorted(references.Where(name => name.Parsed is null or { Digest.IsEmpty: true }).Select(name => name.Name)),
            RepoDigests = Sorted(references.Select(name => name.Parsed).OfType<ImageReference>()
                .Where(name => !name.Digest.IsEmpty).Select(name => name.RepoDigest(name.Digest))),
            Size = facts.Size,
            ChainId = facts.ChainIdText,
            Snapshotter = _snapshotter,
            Pinned = all.Any(view => _pinned.Contains(view.Name) || view.Labels.GetValueOrDefault(PinnedLabel) == "pinned"),
            Defaults = facts.Defaults,
        };
    }

    private static ImmutableArray<string> Sorted(IEnumerable<string> texts) => [.. texts.Distinct().Order(StringComparer.Ordinal)];
}
