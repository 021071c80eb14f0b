using System.Collections.Immutable;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Linux.Mounts;
using Runtime.Oci.Layers;

namespace Runtime.Actors.Snapshots;

/// <summary>
/// Snapshots as directories that overlayfs stacks: <c>snapshots/N/fs</c> is a layer, <c>snapshots/N/work</c> what overlayfs needs
/// beside an upper one. In containerd's layout.
/// </summary>
public sealed class OverlaySnapshots : ISnapshotDriver
{
    public const string DriverName = "overlayfs";

    private const uint LayerMode = 0b111_101_101;
    private const uint WorkMode = 0b111_001_001;

    private readonly SnapshotDirectories _directories;
    private readonly OverlayFeatures _features;

    /// <exception cref="FaultException">Unimplemented <c>snapshot.no-overlay</c>: the file system cannot be under an overlay.</exception>
    public OverlaySnapshots(string root)
    {
        Root = root;
        _directories = new SnapshotDirectories(root);
        _features = OverlayFeatures.Probe(root);
        if (!_features.IsSupported)
            throw new FaultException(FaultKind.Unimplemented, "snapshot.no-overlay",
                $"overlayfs cannot be used in {root}: {_features.Reason}. The snapshotter \"native\" works on any file system.");
        Unpacking = new LayerOptions { Whiteouts = WhiteoutMode.Overlay, UserXattr = _features.NeedsUserXattr };
    }

    public string Name => DriverName;

    public string Root { get; }

    public bool StacksApart => true;

    public LayerOptions Unpacking { get; }

    public ImmutableArray<long> Numbers() => _directories.Numbers();

    public void Make(SnapshotKind kind, long number, ImmutableArray<long> chain, CancellationToken cancellation) =>
        _directories.Make(number, path =>
        {
            var layer = Path.Combine(path, "fs");
            DurableFiles.MakePrivateDirectory(layer);
            // The merged root has the attributes of the topmost layer's: so the writable one takes over its parent's.
            var parent = chain is [var nearest, ..] ? FileStatus.Of(Layer(nearest)) : (FileStatus?)null;
            if (parent is { } above) Inodes.ChangeOwner(layer, above.Uid, above.Gid);
            Inodes.ChangeMode(layer, parent?.Permissions ?? LayerMode);
            if (kind is not SnapshotKind.Active) return;
            var work = Path.Combine(path, "work");
            DurableFiles.MakePrivateDirectory(work);
            Inodes.ChangeMode(work, WorkMode);
        });

    public ImmutableArray<MountSpec> Mounts(SnapshotKind kind, long number, ImmutableArray<long> chain) => (kind, chain) switch
    {
        // overlayfs wants an upper and a lower directory, or two lower ones.
        (SnapshotKind.View, []) => [Bind(number, "ro")],
        (SnapshotKind.View, [var only]) => [Bind(only, "ro")],
        (SnapshotKind.Active, []) => [Bind(number, "rw")],
        _ => [Overlay(kind, number, chain)],
    };

    public DiskUsage Usage(long number, CancellationToken cancellation) => DirectoryTree.Usage(Layer(number), cancellation);

    public void Remove(long number) => _directories.Remove(number);

    public void Tidy() => _directories.Tidy();

    private MountSpec Bind(long number, string access) => new("bind", Layer(number), "", [access, "rbind"]);

    private MountSpec Overlay(SnapshotKind kind, long number, ImmutableArray<long> chain)
    {
        var options = ImmutableArray.CreateBuilder<string>();
        // An index ties upper and lower directories to each other, and fails when one of them is used in two mounts.
        if (_features.HasIndex) options.Add("index=off");
        if (_features.NeedsUserXattr) options.Add("userxattr");
        if (kind is SnapshotKind.Active)
        {
            options.Add($"workdir={Path.Combine(_directories[number], "work")}");
            options.Add($"upperdir={Layer(number)}");
        }
        options.Add($"lowerdir={string.Join(':', chain.Select(Layer))}");
        return new MountSpec("overlay", "overlay", "", options.ToImmutable());
    }

    private string Layer(long number) => Path.Combine(_directories[number], "fs");
}
