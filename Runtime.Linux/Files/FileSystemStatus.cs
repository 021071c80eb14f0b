using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Runtime.Linux.Files;

/// <summary>What statfs(2) knows of the file system under a path.</summary>
/// <param name="Type">Magic number, statfs(2).</param>
/// <param name="AvailableBytes">Free for unprivileged users: what df shows.</param>
/// <param name="Flags">ST_RDONLY and the like.</param>
public readonly record struct FileSystemStatus(
    long Type, long TotalBytes, long FreeBytes, long AvailableBytes, long TotalInodes, long FreeInodes, long Flags)
{
    public const long CGROUP_SUPER_MAGIC = 0x27e0eb;
    public const long CGROUP2_SUPER_MAGIC = 0x63677270;
    public const long NSFS_MAGIC = 0x6e736673;
    public const long OVERLAYFS_SUPER_MAGIC = 0x794c7630;
    public const long TMPFS_MAGIC = 0x01021994;
    public const long PROC_SUPER_MAGIC = 0x9fa0;

    public static FileSystemStatus Of(string path) => TryOf(path) ?? throw Errno.Fault(Errno.ENOENT, "statfs", path);

    /// <summary>Null where nothing has that path.</summary>
    public static unsafe FileSystemStatus? TryOf(string path)
    {
        var buffer = stackalloc byte[256];
        if (FileCalls.statfs(path, buffer) == 0)
            return Parse(new ReadOnlySpan<byte>(buffer, 256));
        var errno = Errno.Last;
        return errno is Errno.ENOENT or Errno.ENOTDIR ? null : throw Errno.Fault(errno, "statfs", path);
    }

    public static unsafe FileSystemStatus Of(SafeFileHandle file)
    {
        var buffer = stackalloc byte[256];
        return FileCalls.fstatfs(file, buffer) == 0
            ? Parse(new ReadOnlySpan<byte>(buffer, 256))
            : throw Errno.Fault("fstatfs");
    }

    /// <summary>struct statfs of 64-bit Linux: type, bsize, blocks, bfree, bavail, files, ffree, fsid, namelen, frsize, flags; 8 bytes each.</summary>
    private static FileSystemStatus Parse(ReadOnlySpan<byte> at)
    {
        var words = MemoryMarshal.Cast<byte, long>(at);
        var unit = words[9] > 0 ? words[9] : words[1];
        return new(words[0], words[2] * unit, words[3] * unit, words[4] * unit, words[5], words[6], words[10]);
    }
}
