using Microsoft.Win32.SafeHandles;
using Runtime.Faults;
using static Runtime.Linux.Files.FileConstants;

namespace Runtime.Linux.Files;

/// <param name="Bytes">Allocated on disk.</param>
public readonly record struct DiskUsage(long Bytes, long Inodes);

/// <summary>Walks of whole trees through descriptors: never follows a symlink, never crosses into another mount.</summary>
public static unsafe class DirectoryTree
{
    /// <summary>One descriptor is open per level. Sized far above real trees (PATH_MAX / 2 = 2048 would be the deepest nameable).</summary>
    private const int MaxDepth = 2048;

    /// <summary>Removes a tree, or a single file.</summary>
    /// <returns>Whether there was something to remove.</returns>
    /// <exception cref="FaultException">FailedPrecondition <c>tree.is-mounted</c>: something is mounted inside; nothing of the mount is touched.</exception>
    public static bool Delete(string path)
    {
        if (FileStatus.TryOf(path) is not { } status)
            return false;
        if (!status.IsDirectory)
            return FileCalls.unlink(path) == 0 || Gone("unlink", path);
        using (var directory = Descriptors.TryOpen(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
        {
            if (directory is null)
                return false;
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } parent
                && FileStatus.TryOf(parent, follow: true) is { } above && Crosses(above, FileStatus.Of(directory)))
                throw Mounted(path);
            DeleteContent(directory, FileStatus.Of(directory), 0);
        }
        return FileCalls.rmdir(path) == 0 || Gone("rmdir", path);
    }

    /// <summary>Removes what is in a directory and keeps the directory, which may itself be a mount point.</summary>
    public static void Clear(string path)
    {
        using var directory = Descriptors.Open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        DeleteContent(directory, FileStatus.Of(directory), 0);
    }

    /// <summary>Disk usage of a tree with its root; each inode counted once however many links it has.</summary>
    /// <returns>Zero where nothing has that path. Files that vanish meanwhile are left out.</returns>
    public static DiskUsage Usage(string path, CancellationToken cancel = default)
    {
        if (FileStatus.TryOf(path) is not { } status)
            return default;
        var total = new DiskUsage(status.AllocatedBytes, 1);
        if (!status.IsDirectory)
            return total;
        using var directory = Descriptors.TryOpen(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        if (directory is not null)
            AddContent(directory, status, [], ref total, 0, cancel);
        return total;
    }

    internal static void DeleteContent(SafeFileHandle directory, FileStatus self, int depth)
    {
        CheckDepth(directory, depth);
        // Names are removed while they are read: on some file systems (btrfs, tmpfs) that can skip some, so read again until none is left.
        bool again;
        do
        {
            again = false;
            using var reader = new DirectoryReader(directory);
            while (reader.Read())
            {
                again = true;
                DeleteEntry(directory, reader.Name, reader.IsDirectory, self, depth);
            }
            if (again && FileCalls.lseek(directory, 0, 0) < 0)
                throw Errno.Fault("lseek", Descriptors.PathOf(directory));
        }
        while (again);
    }

    internal static void DeleteEntry(SafeFileHandle parent, ReadOnlySpan<byte> name, bool isDirectory, FileStatus self, int depth)
    {
        fixed (byte* raw = name)
        {
            if (!isDirectory)
            {
                if (FileCalls.unlinkat(parent, raw, 0) == 0 || Errno.Last == Errno.ENOENT)
                    return;
                // EISDIR: a directory after all (a file system that does not tell types). EBUSY: a file is mounted here.
                if (Errno.Last is var errno && errno is not (Errno.EISDIR or Errno.EPERM))
                    throw errno == Errno.EBUSY ? Mounted(Named(parent, name)) : Errno.Fault(errno, "unlinkat", Named(parent, name));
            }
            var fd = FileCalls.openat(parent, raw, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
            if (fd < 0)
            {
                if (Errno.Last == Errno.ENOENT)
                    return;
                throw Errno.Fault("openat", Named(parent, name));
            }
            using (var child = new SafeFileHandle(fd, ownsHandle: true))
            {
                var status = FileStatus.Of(child);
                if (Crosses(self, status))
                    throw Mounted(Named(parent, name));
                DeleteContent(child, status, depth + 1);
            }
            if (FileCalls.unlinkat(parent, raw, AT_REMOVEDIR) < 0 && Errno.Last is var failed && failed != Errno.ENOENT)
                throw failed == Errno.EBUSY ? Mounted(Named(parent, name)) : Errno.Fault(failed, "unlinkat", Named(parent, name));
        }
    }

    private static void AddContent(
        SafeFileHandle directory, FileStatus self, HashSet<ulong> linked, ref DiskUsage total, int depth, CancellationToken cancel)
    {
        CheckDepth(directory, depth);
        cancel.ThrowIfCancellationRequested();
        using var reader = new DirectoryReader(directory);
        while (reader.Read())
        {
            if (FileStatus.TryAt(directory, reader.Name, AT_SYMLINK_NOFOLLOW) is not { } status || Crosses(self, status))
                continue;
            if (!status.IsDirectory && status.Links > 1 && !linked.Add(status.Inode))
                continue;
            total = new(total.Bytes + status.AllocatedBytes, total.Inodes + 1);
            if (!status.IsDirectory)
                continue;
            int fd;
            fixed (byte* raw = reader.Name)
                fd = FileCalls.openat(directory, raw, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
            if (fd < 0 && Errno.Last is not (Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP))
                throw Errno.Fault("openat", Named(directory, reader.Name));
            if (fd < 0)
                continue;
            using var child = new SafeFileHandle(fd, ownsHandle: true);
            AddContent(child, status, linked, ref total, depth + 1, cancel);
        }
    }

    /// <summary>By mount id where the kernel tells it: a bind mount has the device of its source.</summary>
    private static bool Crosses(FileStatus from, FileStatus to) =>
        from.MountId != 0 && to.MountId != 0 ? from.MountId != to.MountId : from.Device != to.Device;

    private static bool Gone(string call, string path) => Errno.Last switch
    {
        Errno.ENOENT => false,
        Errno.EBUSY => throw Mounted(path),
        var errno => throw Errno.Fault(errno, call, path),
    };

    private static void CheckDepth(SafeFileHandle directory, int depth)
    {
        if (depth > MaxDepth)
            throw new FaultException(
                FaultKind.ResourceExhausted, "tree.too-deep", $"{Descriptors.PathOf(directory)} is deeper than {MaxDepth} directories.");
    }

    private static FaultException Mounted(string path) => new(
        FaultKind.FailedPrecondition, "tree.is-mounted", $"{path} is a mount point: unmount it before its tree is removed.");

    private static string Named(SafeFileHandle parent, ReadOnlySpan<byte> name) =>
        $"{Descriptors.PathOf(parent)}/{RawName.Shown(name)}";
}
