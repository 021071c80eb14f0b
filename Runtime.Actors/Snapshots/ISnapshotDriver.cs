using System.Collections.Immutable;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Linux.Mounts;
using Runtime.Oci.Layers;

namespace Runtime.Actors.Snapshots;

/// <summary>
/// How one snapshotter keeps directories. A directory has a number, and is there whole or not at all. Which snapshot has which
/// number, parent and kind is the actors' to know. All calls but <see cref="Mounts"/> block.
/// </summary>
public interface ISnapshotDriver
{
    /// <summary><c>overlayfs</c>, <c>native</c>.</summary>
    string Name { get; }

    /// <summary>Where it keeps them.</summary>
    string Root { get; }

    /// <summary>
    /// True: each layer is written into a directory of its own, without its parent, and stacked afterwards, so that layers can
    /// be unpacked in parallel. False: a layer is written on top of its parent's content.
    /// </summary>
    bool StacksApart { get; }

    /// <summary>How a layer is written into the directory of an active snapshot.</summary>
    LayerOptions Unpacking { get; }

    /// <summary>Numbers of the directories that are there.</summary>
    ImmutableArray<long> Numbers();

    /// <summary>Makes a directory, unless it is there.</summary>
    /// <param name="chain">Numbers of the parent, its parent and so on.</param>
    /// <exception cref="FaultException">ResourceExhausted for a full disk; nothing is left then.</exception>
    void Make(SnapshotKind kind, long number, ImmutableArray<long> chain, CancellationToken cancellation);

    /// <summary>What to mount to see an active snapshot or a view.</summary>
    ImmutableArray<MountSpec> Mounts(SnapshotKind kind, long number, ImmutableArray<long> chain);

    /// <summary>What the snapshot itself adds to the disk.</summary>
    DiskUsage Usage(long number, CancellationToken cancellation);

    /// <summary>Removes a directory, and what is half removed or half made of it. One that is missing is no error.</summary>
    /// <exception cref="FaultException">FailedPrecondition while something is mounted in it.</exception>
    void Remove(long number);

    /// <summary>Removes what was half made or half removed when the daemon died.</summary>
    void Tidy();
}
