using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Actors.Images;
using Runtime.Actors.Leases;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Snapshots;

namespace Runtime.Actors.Content;

/// <summary>
/// The mark of a collection in one namespace: everything that can be reached from images, leases, containers and what is labelled as a
/// root, over labels, parents of snapshots, and manifests. From the read models as they are when it is made.
/// </summary>
internal sealed class GcMark
{
    private readonly ImmutableDictionary<string, ContentView> _content;
    private readonly ImmutableDictionary<string, SnapshotView> _snapshots;
    private readonly ImmutableDictionary<string, ImageView> _images;
    private readonly ImageInspector _inspector;
    private readonly ILookup<GcNode, GcNode> _keptBy;
    private readonly HashSet<GcNode> _reached = [];
    private readonly HashSet<GcNode> _held = [];
    private readonly Queue<GcNode> _open = [];

    public GcMark(NamespaceName space, GcSources sources, DateTimeOffset now)
    {
        _content = sources.Content.In(space);
        _snapshots = sources.Snapshots.In(space);
        _images = sources.Images.In(space);
        _inspector = sources.Inspector;
        _keptBy = BackReferences().ToLookup(edge => edge.Keeper, edge => edge.Kept);
        foreach (var image in _images.Values)
            if (!IsExpired(image, now)) Reach(new GcNode(GcKind.Image, image.Name));
        foreach (var blob in _content.Values)
            if (blob.Labels.ContainsKey(GcLabels.Root)) Reach(new GcNode(GcKind.Content, blob.Digest));
        foreach (var (id, snapshot) in _snapshots)
            if (snapshot.Labels.ContainsKey(GcLabels.Root) || snapshot.Labels.ContainsKey(SnapshotState.UnpackingLabel))
                Reach(new GcNode(GcKind.Snapshot, id));
        RootContainers(space, sources.Roots);
        foreach (var lease in sources.Roots.Leases.In(space).Values)
            if (!(lease.ExpiresAt <= now)) Root(lease);
        Follow();
    }

    public bool Needs(GcKind kind, string key)
    {
        var node = new GcNode(kind, key);
        return _reached.Contains(node) || _held.Contains(node);
    }

    public IEnumerable<string> Blobs => _reached.Concat(_held).Where(node => node.Kind is GcKind.Content).Select(node => node.Key);

    public static bool IsExpired(ImageView image, DateTimeOffset now) => GcLabels.ExpiryOf(image.Labels) <= now;

    private void RootContainers(NamespaceName space, GarbageRoots roots)
    {
        foreach (var record in roots.Records.In(space).Values)
        {
            Reach(new GcNode(GcKind.Container, record.Id));
            if (record.SnapshotKey.Length > 0) Reach(new GcNode(GcKind.Snapshot, SnapshotId.Of(record.Snapshotter, record.SnapshotKey)));
            ReachAll(GcLabels.References(record.Labels));
        }
        // A pod's snapshots have the id of its container or sandbox, alone or before a dash.
        var containers = roots.Containers.In(space);
        var sandboxes = roots.Sandboxes.In(space);
        foreach (var (id, snapshot) in _snapshots)
        {
            var owner = snapshot.Key.Split('-', 2)[0];
            if (containers.ContainsKey(owner) || sandboxes.ContainsKey(owner)) Reach(new GcNode(GcKind.Snapshot, id));
        }
    }

    private void Root(LeaseView lease)
    {
        foreach (var resource in lease.Resources)
        {
            GcNode? node = resource switch
            {
                { Type: LeaseResource.ContentType } => new GcNode(GcKind.Content, resource.Id),
                { Type: LeaseResource.ImageType } => new GcNode(GcKind.Image, resource.Id),
                { SnapshotId: { } id } => new GcNode(GcKind.Snapshot, id),
                _ => null,
            };
            if (node is not { } known) continue;
            if (lease.IsFlat) Hold(known);
            else Reach(known);
        }
    }

    /// <summary>Keeps it, without what it refers to. A snapshot is nothing without its parents.</summary>
    private void Hold(GcNode node)
    {
        while (_held.Add(node) && ParentOf(node) is { } parent) node = parent;
    }

    private void Reach(GcNode node)
    {
        if (_reached.Add(node)) _open.Enqueue(node);
    }

    private void ReachAll(IEnumerable<GcNode> nodes)
    {
        foreach (var node in nodes) Reach(node);
    }

    private void Follow()
    {
        while (_open.TryDequeue(out var node))
        {
            ReachAll(GcLabels.References(LabelsOf(node)));
            ReachAll(_keptBy[node]);
            if (ParentOf(node) is { } parent) Reach(parent);
            if (node.Kind is not GcKind.Image || !_images.TryGetValue(node.Key, out var image)) continue;
            // Also what nobody labelled: an image is whole, whoever stored it.
            ReachAll(_inspector.Reachable(image.Target.Digest).Select(digest => new GcNode(GcKind.Content, digest.ToString())));
            ReachChains(image);
        }
    }

    private void ReachChains(ImageView image)
    {
        if (_inspector.Inspect(image.Target.Digest)?.ChainIdText is not { Length: > 0 } chain) return;
        foreach (var (id, snapshot) in _snapshots)
            if (snapshot.Key == chain) Reach(new GcNode(GcKind.Snapshot, id));
    }

    private GcNode? ParentOf(GcNode node) =>
        node.Kind is GcKind.Snapshot && _snapshots.GetValueOrDefault(node.Key) is { Parent.Length: > 0 } snapshot
            ? new GcNode(GcKind.Snapshot, SnapshotId.Of(snapshot.Snapshotter, snapshot.Parent))
            : null;

    private ImmutableSortedDictionary<string, string> LabelsOf(GcNode node) => node.Kind switch
    {
        GcKind.Content => _content.GetValueOrDefault(node.Key)?.Labels,
        GcKind.Snapshot => _snapshots.GetValueOrDefault(node.Key)?.Labels,
        GcKind.Image => _images.GetValueOrDefault(node.Key)?.Labels,
        _ => null,
    } ?? Labels.None;

    private IEnumerable<(GcNode Keeper, GcNode Kept)> BackReferences() =>
        _content.Values.SelectMany(blob => Edges(blob.Labels, new GcNode(GcKind.Content, blob.Digest)))
            .Concat(_snapshots.SelectMany(snapshot => Edges(snapshot.Value.Labels, new GcNode(GcKind.Snapshot, snapshot.Key))))
            .Concat(_images.Values.SelectMany(image => Edges(image.Labels, new GcNode(GcKind.Image, image.Name))));

    private static IEnumerable<(GcNode Keeper, GcNode Kept)> Edges(ImmutableSortedDictionary<string, string> labels, GcNode kept) =>
        GcLabels.BackReferences(labels).Select(keeper => (keeper, kept));
}

/// <summary>What a mark reads.</summary>
internal sealed record GcSources(
    ReadModel<ImageView> Images, ReadModel<ContentView> Content, ReadModel<SnapshotView> Snapshots, GarbageRoots Roots,
    ImageInspector Inspector)
{
    public IEnumerable<NamespaceName> Spaces =>
        Images.All.Keys.Concat(Content.All.Keys).Concat(Snapshots.All.Keys).Concat(Roots.Leases.All.Keys).Distinct();
}
