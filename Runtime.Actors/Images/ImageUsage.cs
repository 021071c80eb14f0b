using Runtime.Actors.Content;
using Runtime.Actors.Entities;
using Runtime.Actors.Snapshots;
using Runtime.Linux.Files;

namespace Runtime.Actors.Images;

/// <summary>
/// Disk usage of content and snapshots. Walking writable layers takes time and the kubelet asks every few seconds: a measurement
/// serves everybody for a while. Thread-safe.
/// </summary>
public sealed class ImageUsage(
    ContentStore content, SnapshotDrivers drivers, ReadModel<SnapshotView> snapshots, string snapshotter, TimeProvider clock)
{
    /// <summary>As often as containerd looks.</summary>
    private static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private Task<ImageFileSystem>? _measured;
    private DateTimeOffset _begun;

    public Task<ImageFileSystem> MeasureAsync(CancellationToken cancellation)
    {
        lock (_lock)
        {
            var now = clock.GetUtcNow();
            if (_measured is null or { IsFaulted: true } || now - _begun > FreshFor)
            {
                _begun = now;
                _measured = Task.Run(Measure, CancellationToken.None);
            }
            return _measured.WaitAsync(cancellation);
        }
    }

    private ImageFileSystem Measure()
    {
        var (bytes, inodes) = (0L, 0L);
        foreach (var blob in content.Walk())
        {
            bytes += blob.Size;
            inodes++;
        }
        foreach (var ingest in content.Statuses()) bytes += ingest.Offset;
        // Snapshots of several namespaces have directories of their own.
        foreach (var view in snapshots.All.Values.SelectMany(inside => inside.Values))
        {
            DiskUsage used = drivers.Usage(view, CancellationToken.None);
            bytes += used.Bytes;
            inodes += used.Inodes;
        }
        return new ImageFileSystem(drivers[snapshotter].Root, bytes, inodes, _begun);
    }
}
