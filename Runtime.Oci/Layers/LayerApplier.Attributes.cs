using Microsoft.Win32.SafeHandles;
using Runtime.Linux;
using Runtime.Linux.Files;
using static Runtime.Linux.Files.FileConstants;

namespace Runtime.Oci.Layers;

public sealed unsafe partial class LayerApplier
{
    /// <summary>In this order: chown clears set-user-id bits and file capabilities, so it comes first.</summary>
    private void SetAttributes(SafeFileHandle file, TarEntry entry)
    {
        Check(FileCalls.fchown(file, entry.Uid, entry.Gid), "fchown");
        foreach (var (name, value) in entry.Xattrs)
        {
            fixed (byte* rawName = name, rawValue = value)
            {
                if (!IsKept(name) || FileCalls.fsetxattr(file, rawName, rawValue, (nuint)value.Length, 0) < 0 && Refused("fsetxattr"))
                    _skippedXattrs++;
            }
        }
        Check(FileCalls.fchmod(file, entry.Mode), "fchmod");
    }

    /// <summary>Of symlinks, devices and fifos, which must not be opened. What was just made has that name, and is not followed.</summary>
    private void SetNodeAttributes(TarEntry entry)
    {
        var parent = _tree.Directory(_path.Parent);
        fixed (byte* node = _path.RawBase)
        {
            Check(FileCalls.fchownat(parent, node, entry.Uid, entry.Gid, AT_SYMLINK_NOFOLLOW), "fchownat");
            if (entry.Xattrs.Count > 0)
                SetNodeXattrs(parent, entry);
            if (entry.Type != TarEntryType.Symlink)
                Check(FileCalls.fchmodat(parent, node, entry.Mode, 0), "fchmodat");
            var times = stackalloc FileCalls.Timespec[2];
            times[0] = times[1] = new() { Seconds = entry.ModifiedSeconds, Nanoseconds = entry.ModifiedNanoseconds };
            Check(FileCalls.utimensat(parent, node, times, AT_SYMLINK_NOFOLLOW), "utimensat");
        }
    }

    private void SetNodeXattrs(SafeFileHandle parent, TarEntry entry)
    {
        fixed (byte* node = _path.RawBase)
        {
            // No call sets an attribute below a directory handle: through the node's own handle, by its magic link.
            var fd = FileCalls.openat(parent, node, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
            Check(fd, "openat");
            using var handle = new SafeFileHandle(fd, ownsHandle: true);
            foreach (var (name, value) in entry.Xattrs)
            {
                fixed (byte* rawName = name, rawValue = value)
                {
                    if (!IsKept(name)
                        || FileCalls.setxattr(Descriptors.MagicLink(handle), rawName, rawValue, (nuint)value.Length, 0) < 0 && Refused("setxattr"))
                        _skippedXattrs++;
                }
            }
        }
    }

    private void SetTimes(SafeFileHandle file, TarEntry entry)
    {
        var times = stackalloc FileCalls.Timespec[2];
        times[0] = times[1] = new() { Seconds = entry.ModifiedSeconds, Nanoseconds = entry.ModifiedNanoseconds };
        Check(FileCalls.futimens(file, times), "futimens");
    }

    private void SetDirectoryTimes()
    {
        var times = stackalloc FileCalls.Timespec[2];
        foreach (var (path, seconds, nanoseconds) in _directoryTimes)
        {
            using var directory = _root.TryOpen(
                path.Length == 0 ? ".\0"u8 : [.. path, 0], O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, out var errno);
            // A later entry may have put something else in its place.
            if (directory is null && errno is Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP)
                continue;
            if (directory is null)
                throw Errno.Fault(errno, "openat2", LayerFault.Shown(path));
            times[0] = times[1] = new() { Seconds = seconds, Nanoseconds = nanoseconds };
            if (FileCalls.futimens(directory, times) < 0)
                throw Errno.Fault("futimens", LayerFault.Shown(path));
        }
    }

    /// <summary>overlayfs' own attributes (redirect, metacopy, opaque) would let a layer reach into others, or hide them.</summary>
    private static bool IsKept(ReadOnlySpan<byte> name) =>
        !name.StartsWith("trusted.overlay."u8) && !name.StartsWith("user.overlay."u8);

    /// <summary>True for what is skipped: no such attributes on this file system, or (EPERM) user attributes of what is no file.</summary>
    private bool Refused(string call)
    {
        var errno = Errno.Last;
        return errno is Errno.EOPNOTSUPP or Errno.EPERM ? true : throw Errno.Fault(errno, call, LayerFault.Shown(_path.Path));
    }

    private void Check(int result, string call)
    {
        if (result < 0)
            throw Errno.Fault(call, LayerFault.Shown(_path.Path));
    }
}
