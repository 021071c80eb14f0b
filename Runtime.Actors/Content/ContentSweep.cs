using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Actors.Images;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Snapshots;
using Runtime.Faults;
using Runtime.Oci.Images;

namespace Runtime.Actors.Content;

/// <summary>What a collection may take: blobs, and names of committed snapshots.</summary>
public sealed record SweepScope(ImmutableHashSet<Digest> Blobs, ImmutableHashSet<string> Snapshots);

/// <param name="Blobs">Removed from disk.</param>
/// <param name="Bytes">Of those blobs.</param>
/// <param name="Snapshots">Removed.</param>
public sealed record SweepResult(int Blobs, long Bytes, int Snapshots);

/// <summary>
/// Removes blobs and committed snapshots that nothing needs: no image name of any namespace, no snapshot that is in use, no running
/// pull or import (<see cref="ContentPins"/>). It marks from the read models and removes one thing after another; nobody waits for it.
/// </summary>
public sealed class ContentSweep(
    ContentStore content, ReadModel<ImageView> images, ReadModel<ContentView> records, ReadModel<SnapshotView> snapshots,
    ImageInspector inspector, ContentPins pins, EntityRequests requests, TimeSpan ingestAgeMax, TimeProvider clock)
{
    private const string RootLabel = "containerd.io/gc.root";

    private readonly SemaphoreSlim _one = new(1);

    /// <summary>Everything that images refer to, taken before their names go.</summary>
    public static SweepScope ScopeOf(IEnumerable<string> targets, ImageInspector inspector)
    {
        var digests = targets.Distinct().ToList();
        return new SweepScope(
            [.. digests.SelectMany(inspector.Reachable)],
            [.. digests.SelectMany(digest => inspector.Inspect(digest)?.Chain ?? [])]);
    }

    /// <param name="scope">Null: everything, and downloads that nobody took up again.</param>
    public async Task<SweepResult> CollectAsync(SweepScope? scope, CancellationToken cancellation)
    {
        await _one.WaitAsync(cancellation);
        pins.BeginSweep();
        try
        {
            return await Task.Run(() => SweepAsync(scope, cancellation), cancellation);
        }
        finally
        {
            pins.EndSweep();
            _one.Release();
        }
    }

    private async Task<SweepResult> SweepAsync(SweepScope? scope, CancellationToken cancellation)
    {
        // 1. Marks: what each namespace needs.
        var spaces = images.All.Keys.Concat(records.All.Keys).Concat(snapshots.All.Keys).Distinct().ToList();
        var needed = spaces.ToDictionary(space => space, NeededBlobs);
        var neededAnywhere = needed.Values.SelectMany(blobs => blobs).ToHashSet();

        // 2. Snapshots, children before their parents.
        var removedSnapshots = 0;
        foreach (var space in spaces)
        {
            foreach (var view in Unneeded(space, needed[space]).Where(view => scope?.Snapshots.Contains(view.Key) is not false))
                removedSnapshots += await RemoveAsync(space, view, cancellation) ? 1 : 0;
        }

        // 3. Blobs, then the records of namespaces that no longer need them.
        var (removedBlobs, bytes) = (0, 0L);
        var unneeded = content.Walk()
            .Where(blob => scope?.Blobs.Contains(blob.Digest) is not false && !neededAnywhere.Contains(blob.Digest));
        foreach (var blob in unneeded)
        {
            cancellation.ThrowIfCancellationRequested();
            using var collection = pins.TryCollect(blob.Digest.ToString());
            if (collection is null || !content.Delete(blob.Digest)) continue;
            removedBlobs++;
            bytes += blob.Size;
        }
        foreach (var space in spaces) await ForgetAsync(space, needed[space], scope, cancellation);
        if (scope is null) content.AbortStale(clock.GetUtcNow() - ingestAgeMax);
        return new SweepResult(removedBlobs, bytes, removedSnapshots);
    }

    private HashSet<Digest> NeededBlobs(NamespaceName space)
    {
        var known = records.In(space);
        var needed = new HashSet<Digest>();
        var roots = images.In(space).Values.Select(image => image.Target.Digest)
            .Concat(known.Values.Where(blob => blob.Labels.ContainsKey(RootLabel)).Select(blob => blob.Digest));
        foreach (var root in roots) needed.UnionWith(inspector.Reachable(root));
        // What labels refer to, too: clients store things that are no images.
        var open = new Queue<Digest>(needed);
        while (open.TryDequeue(out var digest))
        {
            if (!known.TryGetValue(digest.ToString(), out var blob)) continue;
            foreach (var (name, value) in blob.Labels)
            {
                if (name.StartsWith(ImageRecorder.ContentRefLabel, StringComparison.Ordinal)
                    && Digest.TryParse(value, out var child) && needed.Add(child))
                    open.Enqueue(child);
            }
        }
        return needed;
    }

    /// <summary>Committed snapshots without an image and without anything on top that is needed; topmost first.</summary>
    private List<SnapshotView> Unneeded(NamespaceName space, HashSet<Digest> neededBlobs)
    {
        var all = snapshots.In(space);
        var needed = new HashSet<string>();
        var known = records.In(space);
        var roots = images.In(space).Values.Select(image => inspector.Inspect(image.Target.Digest)?.ChainIdText)
            .Concat(neededBlobs.Select(digest => known.GetValueOrDefault(digest.ToString())).OfType<ContentView>()
                .SelectMany(blob => blob.Labels)
                .Where(label => label.Key.StartsWith(ImageRecorder.SnapshotRefLabel, StringComparison.Ordinal))
                .Select(label => label.Value))
            .OfType<string>().ToHashSet();
        foreach (var view in all.Values)
        {
            if (view.Kind is SnapshotKind.Committed && !roots.Contains(view.Key) && !view.Labels.ContainsKey(RootLabel)) continue;
            var at = view;
            while (at is not null && needed.Add(SnapshotId.Of(at.Snapshotter, at.Key)))
                at = all.GetValueOrDefault(SnapshotId.Of(at.Snapshotter, at.Parent));
        }
        return
        [
            .. all.Where(snapshot => !needed.Contains(snapshot.Key)).Select(snapshot => snapshot.Value)
                .OrderByDescending(view => Depth(view, all)),
        ];
    }

    private static int Depth(SnapshotView view, ImmutableDictionary<string, SnapshotView> all)
    {
        var depth = 0;
        for (var at = view; at is not null; at = all.GetValueOrDefault(SnapshotId.Of(at.Snapshotter, at.Parent))) depth++;
        return depth;
    }

    private async Task<bool> RemoveAsync(NamespaceName space, SnapshotView view, CancellationToken cancellation)
    {
        using var collection = pins.TryCollect(ContentPins.OfSnapshot(space.Value, view.Snapshotter, view.Key));
        if (collection is null) return false;
        try
        {
            await requests.SendAsync<SnapshotRemoved>(new RemoveSnapshot(space, view.Key, view.Snapshotter), cancellation);
            return true;
        }
        catch (FaultException needed) when (needed.Fault.Kind is FaultKind.FailedPrecondition or FaultKind.NotFound)
        {
            // Somebody built on it since the mark, or removed it.
            return false;
        }
    }

    private async Task ForgetAsync(
        NamespaceName space, HashSet<Digest> needed, SweepScope? scope, CancellationToken cancellation)
    {
        var forgotten = records.In(space).Values.Where(blob => Digest.TryParse(blob.Digest, out var digest)
                && scope?.Blobs.Contains(digest) is not false && !needed.Contains(digest) && !pins.IsUsed(blob.Digest))
            .Select(blob => blob.Digest).ToImmutableArray();
        if (forgotten.Length > 0)
            await requests.SendAsync<ContentRemoved>(new RemoveContent(space, forgotten), cancellation);
    }
}
