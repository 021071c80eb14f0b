using System.Collections.Immutable;
using Runtime.Linux.Files;
using Runtime.Linux.Mounts;
using Runtime.Oci.Layers;

namespace Runtime.Actors.Snapshots;

/// <summary>
/// Snapshots as plain directories, <c>snapshots/N</c>, each a copy of its parent: for file systems that overlayfs cannot use. Slow and
/// big, unless the file system shares the content of copies. In containerd's layout.
/// </summary>
public sealed class NativeSnapshots : ISnapshotDriver
{
    public const string DriverName = "native";

    private const uint RootMode = 0b111_101_101;

    private readonly SnapshotDirectories _directories;

    public NativeSnapshots(string root)
    {
        Root = root;
        _directories = new SnapshotDirectories(root);
    }

    public string Name => DriverName;

    public string Root { get; }

    public bool StacksApart => false;

    public LayerOptions Unpacking { get; } = new() { Whiteouts = WhiteoutMode.Delete };

    public ImmutableArray<long> Numbers() => _directories.Numbers();

    public void Make(SnapshotKind kind, long number, ImmutableArray<long> chain, CancellationToken cancellation)
    {
        // A view is the parent itself, bound read-only.
        if (kind is SnapshotKind.View && !chain.IsEmpty) chain = [];
        _directories.Make(number, path =>
        {
            Inodes.ChangeMode(path, RootMode);
            if (chain is [var parent, ..]) DirectoryCopy.Copy(_directories[parent], path, cancellation);
        });
    }

    public ImmutableArray<MountSpec> Mounts(SnapshotKind kind, long number, ImmutableArray<long> chain) => (kind, chain) switch
    {
        (SnapshotKind.View, [var parent, ..]) => [Bind(parent, "ro")],
        (SnapshotKind.View, _) => [Bind(number, "ro")],
        _ => [Bind(number, "rw")],
    };

    public DiskUsage Usage(long number, CancellationToken cancellation) => DirectoryTree.Usage(_directories[number], cancellation);

    public void Remove(long number) => _directories.Remove(number);

    public void Tidy() => _directories.Tidy();

    private MountSpec Bind(long number, string access) => new("bind", _directories[number], "", ["rbind", access]);
}
