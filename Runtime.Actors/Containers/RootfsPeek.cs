using System.Collections.Immutable;
using Runtime.Linux.Files;
using Runtime.Linux.Mounts;

namespace Runtime.Actors.Containers;

/// <summary>
/// A container's root file system, mounted read-only for a look before the container starts. Mounted only when it is looked
/// at: what is known of the image already needs no mount.
/// </summary>
/// <param name="target">In the bundle, so that what removes the bundle also unmounts what a crash left here.</param>
internal sealed class RootfsPeek(ImmutableArray<MountSpec> mounts, string target) : IDisposable
{
    private RootDirectory? _directory;

    public RootDirectory Directory => _directory ??= Open();

    public void Dispose()
    {
        if (_directory is null) return;
        _directory.Dispose();
        Mounter.UnmountAll(target, lazy: true);
    }

    private RootDirectory Open()
    {
        Mounter.UnmountAll(target, lazy: true); // of a try that was interrupted
        Mounter.MountAll([.. mounts.Select(mount => mount with { Options = mount.Options.Add("ro") })], target);
        return RootDirectory.Open(target);
    }
}
