using System.Collections.Immutable;
using System.Globalization;
using Runtime.Actors.Content;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Snapshots;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Linux.Mounts;
using Runtime.Oci.Images;
using Runtime.Oci.Layers;

namespace Runtime.Actors.Pulls;

/// <summary>One layer of an image.</summary>
/// <param name="ChainId">Name of its committed snapshot.</param>
/// <param name="ParentId">Name of the one below; empty for the bottom layer.</param>
public sealed record LayerPlan(Descriptor Blob, Digest DiffId, string ChainId, string ParentId)
{
    public static ImmutableArray<LayerPlan> Of(ImageManifest manifest, ImageConfig config)
    {
        config.CheckAgainst(manifest);
        var chain = Oci.Images.ChainId.Each(config.Rootfs.DiffIds);
        return
        [
            .. manifest.Layers.Select((blob, index) => new LayerPlan(
                blob, config.Rootfs.DiffIds[index], chain[index].ToString(), index == 0 ? "" : chain[index - 1].ToString())),
        ];
    }
}

/// <summary>Where an unpacker gets layers from.</summary>
public interface ILayerSource
{
    /// <summary>Brings the blob into the content store, and its uncompressed bytes to <paramref name="unpack"/> on the way.</summary>
    /// <param name="unpack">Called once, with a stream that is read to its end. Nothing of it counts until this returns.</param>
    Task<LayerReport> ReadAsync(
        LayerPlan layer, Func<Stream, CancellationToken, Task<LayerReport>> unpack, CancellationToken cancellation);
}

/// <summary>
/// Turns an image's layers into a chain of committed snapshots named by their chain ids. What exists is left alone, what two pulls
/// need is unpacked once. Where the snapshotter can stack, layers are unpacked in parallel, each into a directory of its own, and
/// committed bottom up; else one after another. After a failure nothing half made is left.
/// </summary>
public sealed class ImageUnpacker(
    EntityRequests requests, ISnapshotDriver driver, ReadModel<SnapshotView> snapshots, bool syncFs, TimeProvider clock)
{
    private static readonly ImmutableSortedDictionary<string, string> UnpackingLabels =
        ImmutableSortedDictionary<string, string>.Empty.Add(SnapshotState.UnpackingLabel, "true");

    private readonly KeyedLocks _chains = new();
    private long _serial;

    public string Snapshotter => driver.Name;

    public bool Has(NamespaceName space, string chainId) => snapshots.Find(space, SnapshotId.Of(driver.Name, chainId)) is not null;

    /// <summary>Unpacks what is missing. The caller has pinned every chain id.</summary>
    /// <param name="parallel">Layers at the same time.</param>
    /// <param name="skipped">Told about each layer that was there.</param>
    /// <exception cref="FaultException">The source's and <see cref="LayerApplier"/>'s; DataLoss <c>layer.diff-id-mismatch</c>.</exception>
    public async Task UnpackAsync(
        NamespaceName space, ImmutableArray<LayerPlan> layers, ILayerSource source, int parallel, Action<LayerPlan> skipped,
        CancellationToken cancellation)
    {
        using var slots = new SemaphoreSlim(driver.StacksApart ? parallel : 1);
        using var failing = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var below = Task.CompletedTask;
        var all = new List<Task>();
        foreach (var layer in layers)
        {
            below = OneAsync(layer, below);
            all.Add(below);
            // A copying snapshotter begins with the content of the layer below.
            if (!driver.StacksApart) await below.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        await FirstFailureAsync(all, cancellation);

        async Task OneAsync(LayerPlan layer, Task parent)
        {
            try
            {
                await Task.Run(() => LayerAsync(space, layer, parent, source, slots, skipped, failing.Token), CancellationToken.None);
            }
            catch
            {
                // One failed layer makes the others useless; what they have downloaded stays.
                await failing.CancelAsync();
                throw;
            }
        }
    }

    private async Task LayerAsync(
        NamespaceName space, LayerPlan layer, Task parent, ILayerSource source, SemaphoreSlim slots, Action<LayerPlan> skipped,
        CancellationToken cancellation)
    {
        using var held = await _chains.AcquireAsync(ContentPins.OfSnapshot(space.Value, driver.Name, layer.ChainId), cancellation);
        if (Has(space, layer.ChainId))
        {
            skipped(layer);
            return;
        }
        var apart = driver.StacksApart && layer.ParentId.Length > 0 && !Has(space, layer.ParentId);
        var key = NewKey(layer);
        try
        {
            var report = await SlottedAsync(slots, () => ReadAsync(key, apart), cancellation);
            if (apart) await parent.WaitAsync(cancellation);
            if (apart && report is null or { MadeParents: > 0 })
            {
                // It counts on directories or files of the layers below, which it could not see: once more, on top of them.
                await RemoveAsync(space, key);
                key = NewKey(layer);
                apart = false;
                await ReadAsync(key, alone: false);
            }
            await CommitAsync(space, layer, key, apart ? layer.ParentId : "", cancellation);
        }
        catch
        {
            await RemoveAsync(space, key);
            throw;
        }

        async Task<LayerReport?> ReadAsync(string into, bool alone)
        {
            // Not cancelled, because what is being prepared cannot be removed yet.
            var prepared = await requests.SendAsync<SnapshotMounts>(
                new PrepareSnapshot(space, into, driver.Name, alone ? "" : layer.ParentId, UnpackingLabels), CancellationToken.None);
            cancellation.ThrowIfCancellationRequested();
            var (root, options) = TargetOf(prepared.Mounts);
            try
            {
                return await source.ReadAsync(layer, (stream, stop) => ApplyAsync(layer, stream, root, options, stop), cancellation);
            }
            catch (FaultException lacks) when (alone && lacks.Fault.Code is "layer.link-target-missing")
            {
                return null;
            }
        }
    }

    private static async Task<T> SlottedAsync<T>(SemaphoreSlim slots, Func<Task<T>> work, CancellationToken cancellation)
    {
        await slots.WaitAsync(cancellation);
        try
        {
            return await work();
        }
        finally
        {
            slots.Release();
        }
    }

    private static async Task<LayerReport> ApplyAsync(
        LayerPlan layer, Stream compressed, string root, LayerOptions options, CancellationToken cancellation)
    {
        using var hasher = new DigestHasher(layer.DiffId.Algorithm);
        await using var plain = new HashedStream(await LayerDecompression.OpenAsync(compressed, cancellation), hasher);
        var report = await LayerApplier.ApplyAsync(plain, root, options, cancellation);
        var digest = hasher.Current();
        return digest == layer.DiffId
            ? report
            : throw new FaultException(FaultKind.DataLoss, "layer.diff-id-mismatch",
                $"Layer {layer.Blob.Digest} unpacks to {digest}, where the image's config says {layer.DiffId}.");
    }

    private async Task CommitAsync(
        NamespaceName space, LayerPlan layer, string key, string parent, CancellationToken cancellation)
    {
        if (syncFs) await Task.Run(() => SyncFileSystem(driver.Root), cancellation);
        try
        {
            // Not cancelled either: after it the key is gone, or the snapshot is active as before.
            await requests.SendAsync<SnapshotCommitted>(
                new CommitSnapshot(space, key, driver.Name, layer.ChainId, ImmutableSortedDictionary<string, string>.Empty)
                {
                    Parent = parent,
                },
                CancellationToken.None);
        }
        catch (FaultException exists) when (exists.Fault.Kind is FaultKind.AlreadyExists)
        {
            // A client of the snapshot service was faster; its content is the same.
            await RemoveAsync(space, key);
        }
    }

    private static void SyncFileSystem(string path)
    {
        using var directory = Descriptors.Open(path, FileConstants.O_RDONLY | FileConstants.O_DIRECTORY);
        Descriptors.SyncFileSystem(directory, path);
    }

    /// <summary>Best effort: what stays is labelled, and recovery removes it.</summary>
    private async Task RemoveAsync(NamespaceName space, string key)
    {
        try
        {
            await requests.SendAsync<SnapshotRemoved>(new RemoveSnapshot(space, key, driver.Name), CancellationToken.None);
        }
        catch (FaultException)
        {
            // Its failure must not hide the one that led here.
        }
    }

    /// <summary>Where to write and what is below, out of the mounts that would show the snapshot.</summary>
    private (string Root, LayerOptions Options) TargetOf(ImmutableArray<MountSpec> mounts)
    {
        if (mounts is not [var mount]) throw Unusable(mounts);
        if (mount.Type == "bind") return (mount.Source, driver.Unpacking);
        var upper = ValueOf(mount, "upperdir=") ?? throw Unusable(mounts);
        var lowers = ValueOf(mount, "lowerdir=") ?? throw Unusable(mounts);
        return (upper, driver.Unpacking with { Lowers = [.. lowers.Split(':')] });
    }

    private static string? ValueOf(MountSpec mount, string option) => mount.Options
        .Where(text => text.StartsWith(option, StringComparison.Ordinal)).Select(text => text[option.Length..]).FirstOrDefault();

    private static FaultException Unusable(ImmutableArray<MountSpec> mounts) => new(
        FaultKind.Internal, "snapshot.unusable-mounts", $"Cannot unpack into {string.Join(", ", mounts)}.");

    private string NewKey(LayerPlan layer) => string.Create(
        CultureInfo.InvariantCulture, $"extract-{clock.GetUtcNow().UtcTicks:x}-{Interlocked.Increment(ref _serial):x} {layer.ChainId}");

    /// <summary>Waits for all, so that nothing goes on in the background; then tells the failure, not its consequences.</summary>
    private static async Task FirstFailureAsync(List<Task> all, CancellationToken cancellation)
    {
        await Task.WhenAll(all).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellation.ThrowIfCancellationRequested();
        var failed = all.Where(task => task.IsFaulted).Select(task => task.Exception!.GetBaseException()).ToList();
        if (failed.Count > 0)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failed.Find(one => one is FaultException) ?? failed[0]);
        await Task.WhenAll(all);
    }
}
