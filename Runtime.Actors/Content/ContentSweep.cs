using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Actors.Images;
using Runtime.Actors.Leases;
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
/// Removes blobs, snapshots, image names and leases that nothing needs: <see cref="GcMark"/> says what is needed, a running pull, import
/// or write (<see cref="ContentPins"/>) keeps what it uses. One thing goes after another; nobody waits for it.
/// </summary>
public sealed class ContentSweep
{
    private readonly ContentStore _content;
    private readonly ContentPins _pins;
    private readonly EntityRequests _requests;
    private readonly TimeSpan _ingestAgeMax;
    private readonly TimeProvider _clock;
    private readonly GcSources _sources;
    private readonly SemaphoreSlim _one = new(1);

    internal ContentSweep(
        ContentStore content, GcSources sources, ContentPins pins, EntityRequests requests, TimeSpan ingestAgeMax, TimeProvider clock)
    {
        _content = content;
        _sources = sources;
        _pins = pins;
        _requests = requests;
        _ingestAgeMax = ingestAgeMax;
        _clock = clock;
    }

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
        _pins.BeginSweep();
        try
        {
            return await Task.Run(() => SweepAsync(scope, cancellation), cancellation);
        }
        finally
        {
            _pins.EndSweep();
            _one.Release();
        }
    }

    private async Task<SweepResult> SweepAsync(SweepScope? scope, CancellationToken cancellation)
    {
        // 1. What there is, then what of it is needed: what comes in between is in neither, and stays.
        var now = _clock.GetUtcNow();
        var (blobs, snapshots) = (_sources.Content.All, _sources.Snapshots.All);
        var marks = _sources.Spaces.ToDictionary(space => space, space => new GcMark(space, _sources, now));
        var neededAnywhere = marks.Values.SelectMany(mark => mark.Blobs).ToHashSet();

        // 2. What is over by itself.
        if (scope is null) foreach (var (space, mark) in marks) await ExpireAsync(space, mark, now, cancellation);

        // 3. Snapshots, children before their parents.
        var removedSnapshots = 0;
        foreach (var (space, all) in snapshots)
        {
            var unneeded = all.Where(snapshot => scope?.Snapshots.Contains(snapshot.Value.Key) is not false
                    && marks.TryGetValue(space, out var mark) && !mark.Needs(GcKind.Snapshot, snapshot.Key))
                .Select(snapshot => snapshot.Value).OrderByDescending(view => Depth(view, all));
            foreach (var view in unneeded) removedSnapshots += await RemoveAsync(space, view, cancellation) ? 1 : 0;
        }

        // 4. Blobs of each namespace; the bytes go with the last one that knows them. 5. Bytes that no namespace knows.
        var (removedBlobs, bytes) = (0, 0L);
        foreach (var (space, all) in blobs)
        {
            var unneeded = all.Keys.Where(blob => IsIn(scope, blob)
                && marks.TryGetValue(space, out var mark) && !mark.Needs(GcKind.Content, blob));
            Count(await ForgetAsync(space, [.. unneeded], neededAnywhere, cancellation));
        }
        foreach (var blob in _content.Walk().Select(blob => blob.Digest.ToString()).Where(blob => IsIn(scope, blob)))
        {
            cancellation.ThrowIfCancellationRequested();
            using var collection = _pins.TryCollect(blob);
            if (collection is not null) Count(Delete(blob, neededAnywhere));
        }
        if (scope is null) _content.AbortStale(now - _ingestAgeMax, LeasedIngests(now).Contains);
        return new SweepResult(removedBlobs, bytes, removedSnapshots);

        void Count((int Blobs, long Bytes) removed) => (removedBlobs, bytes) = (removedBlobs + removed.Blobs, bytes + removed.Bytes);
    }

    private static bool IsIn(SweepScope? scope, string blob) =>
        scope is null || (Digest.TryParse(blob, out var digest) && scope.Blobs.Contains(digest));

    private async Task ExpireAsync(NamespaceName space, GcMark mark, DateTimeOffset now, CancellationToken cancellation)
    {
        foreach (var lease in _sources.Roots.Leases.In(space).Values.Where(lease => lease.ExpiresAt <= now))
            await UnlessGoneAsync(_requests.SendAsync<LeaseDeleted>(new DeleteLease(space, lease.Id), cancellation));
        foreach (var image in _sources.Images.In(space).Values.Where(image => GcMark.IsExpired(image, now) && !mark.Needs(GcKind.Image, image.Name)))
            await UnlessGoneAsync(_requests.SendAsync<ImageNameRemoved>(new RemoveImageName(space, image.Name), cancellation));
    }

    private static async Task<bool> UnlessGoneAsync(Task removal)
    {
        try
        {
            await removal;
            return true;
        }
        catch (FaultException needed) when (needed.Fault.Kind is FaultKind.FailedPrecondition or FaultKind.NotFound)
        {
            // Somebody built on it since the mark, or removed it.
            return false;
        }
    }

    private static int Depth(SnapshotView view, ImmutableDictionary<string, SnapshotView> all)
    {
        var depth = 0;
        for (var at = view; at is not null; at = all.GetValueOrDefault(SnapshotId.Of(at.Snapshotter, at.Parent))) depth++;
        return depth;
    }

    private async Task<bool> RemoveAsync(NamespaceName space, SnapshotView view, CancellationToken cancellation)
    {
        using var collection = _pins.TryCollect(ContentPins.OfSnapshot(space.Value, view.Snapshotter, view.Key));
        return collection is not null && await UnlessGoneAsync(
            _requests.SendAsync<SnapshotRemoved>(new RemoveSnapshot(space, view.Key, view.Snapshotter), cancellation));
    }

    private async Task<(int Blobs, long Bytes)> ForgetAsync(
        NamespaceName space, ImmutableArray<string> unneeded, HashSet<string> neededAnywhere, CancellationToken cancellation)
    {
        var collections = unneeded.Select(blob => (Blob: blob, Collection: _pins.TryCollect(blob)))
            .Where(taken => taken.Collection is not null).ToList();
        try
        {
            if (collections.Count == 0) return (0, 0);
            await _requests.SendAsync<ContentRemoved>(
                new RemoveContent(space, [.. collections.Select(taken => taken.Blob)]), cancellation);
            var removed = (Blobs: 0, Bytes: 0L);
            foreach (var (blob, _) in collections)
            {
                var (blobs, bytes) = Delete(blob, neededAnywhere);
                removed = (removed.Blobs + blobs, removed.Bytes + bytes);
            }
            return removed;
        }
        finally
        {
            foreach (var (_, collection) in collections) collection!.Dispose();
        }
    }

    /// <summary>Deletes the bytes, unless a namespace knows them or an image needs them.</summary>
    private (int Blobs, long Bytes) Delete(string blob, HashSet<string> neededAnywhere)
    {
        if (neededAnywhere.Contains(blob) || _sources.Content.All.Values.Any(known => known.ContainsKey(blob))) return (0, 0);
        var digest = Digest.Parse(blob);
        return _content.Find(digest) is { } found && _content.Delete(digest) ? (1, found.Size) : (0, 0);
    }

    private HashSet<string> LeasedIngests(DateTimeOffset now) =>
    [
        .. from space in _sources.Roots.Leases.All
           from lease in space.Value.Values
           where !(lease.ExpiresAt <= now)
           from resource in lease.Resources
           where resource.Type == LeaseResource.IngestType
           select ContentCatalog.IngestOf(space.Key, resource.Id),
    ];
}
