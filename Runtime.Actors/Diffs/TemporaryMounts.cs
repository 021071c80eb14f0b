using System.Collections.Immutable;
using System.Globalization;
using Runtime.Linux.Files;
using Runtime.Linux.Mounts;

namespace Runtime.Actors.Diffs;

/// <summary>Mounts for as long as something is read or written through them. What a crash left is unmounted at the next start.</summary>
public sealed class TemporaryMounts
{
    private readonly string _root;
    private long _last;

    /// <param name="root">A directory of its own.</param>
    public TemporaryMounts(string root)
    {
        _root = root;
        if (!Directory.Exists(root)) return;
        Mounter.UnmountTree(root, lazy: true);
        // Only empty directories go: if something is still mounted, its content is not ours to remove.
        foreach (var left in Directory.GetDirectories(root)) Directory.Delete(left);
    }

    /// <summary>Unmounted when it is disposed.</summary>
    public Place Mount(ImmutableArray<MountSpec> mounts)
    {
        DurableFiles.MakePrivateDirectory(_root);
        var path = Path.Combine(_root, Interlocked.Increment(ref _last).ToString(CultureInfo.InvariantCulture));
        DurableFiles.MakePrivateDirectory(path);
        try
        {
            Mounter.MountAll(mounts, path);
        }
        catch
        {
            Directory.Delete(path);
            throw;
        }
        return new Place(path);
    }

    public sealed class Place(string path) : IDisposable
    {
        public string Path { get; } = path;

        public void Dispose()
        {
            Mounter.UnmountTree(Path, lazy: true);
            Directory.Delete(Path);
        }
    }
}
