using Runtime.Actors.Containers;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Snapshots;
using Runtime.Linux.Files;

namespace Runtime.Actors.Statistics;

/// <summary>What containers have written. Walks a tree: not for an actor's thread.</summary>
public interface IWritableLayers
{
    /// <summary>A directory of the file system that holds the layers of a snapshotter.</summary>
    string MountpointOf(string snapshotter);

    /// <summary>Null where the snapshot is gone. Files that vanish meanwhile are left out.</summary>
    DiskUsage? Measure(NamespaceName space, ContainerView container, CancellationToken cancellation);
}

/// <summary>The snapshots of this machine.</summary>
public sealed class WritableLayers(SnapshotDrivers drivers, ReadModel<SnapshotView> snapshots) : IWritableLayers
{
    public string MountpointOf(string snapshotter) => drivers.TryGet(snapshotter, out var driver) ? driver.Root : "/";

    public DiskUsage? Measure(NamespaceName space, ContainerView container, CancellationToken cancellation) =>
        snapshots.Find(space, SnapshotId.Of(container.Snapshotter, container.SnapshotKey)) is { } snapshot
            ? drivers.Usage(snapshot, cancellation)
            : null;
}
