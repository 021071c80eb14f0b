using Microsoft.Win32.SafeHandles;
using static Runtime.Linux.Files.FileConstants;

namespace Runtime.Linux.Files;

/// <summary>Makes and changes inodes that no stream stands for. A final symlink is never followed.</summary>
public static unsafe class Inodes
{
    private const long UTIME_OMIT = 0x3ffffffe;

    /// <summary>mknod(2). The umask does not apply.</summary>
    /// <param name="mode">S_IFCHR or S_IFBLK, and permission bits.</param>
    public static void MakeDevice(string path, uint mode, uint major, uint minor)
    {
        fixed (byte* raw = RawName.Of(path))
        {
            if (FileCalls.mknodat(FileCalls.WorkingDirectory, raw, mode, Device(major, minor)) < 0)
                throw Errno.Fault("mknodat", path);
            Check(FileCalls.fchmodat(FileCalls.WorkingDirectory, raw, mode & 0xFFF, 0), "fchmodat", path);
        }
    }

    /// <summary>mkfifo(3). The umask does not apply.</summary>
    public static void MakeFifo(string path, uint mode)
    {
        fixed (byte* raw = RawName.Of(path))
        {
            Check(FileCalls.mknodat(FileCalls.WorkingDirectory, raw, S_IFIFO | (mode & 0xFFF), 0), "mknodat", path);
            Check(FileCalls.fchmodat(FileCalls.WorkingDirectory, raw, mode & 0xFFF, 0), "fchmodat", path);
        }
    }

    /// <summary>lchown(2): of a symlink, the link itself.</summary>
    public static void ChangeOwner(string path, uint uid, uint gid)
    {
        fixed (byte* raw = RawName.Of(path))
            Check(FileCalls.fchownat(FileCalls.WorkingDirectory, raw, uid, gid, AT_SYMLINK_NOFOLLOW), "fchownat", path);
    }

    /// <summary>fchown(2).</summary>
    public static void ChangeOwner(SafeFileHandle file, uint uid, uint gid) =>
        Check(FileCalls.fchown(file, uid, gid), "fchown", null);

    /// <summary>chmod(2). Follows a symlink, because Linux has no modes of symlinks.</summary>
    public static void ChangeMode(string path, uint mode)
    {
        fixed (byte* raw = RawName.Of(path))
            Check(FileCalls.fchmodat(FileCalls.WorkingDirectory, raw, mode, 0), "fchmodat", path);
    }

    /// <summary>fchmod(2).</summary>
    public static void ChangeMode(SafeFileHandle file, uint mode) => Check(FileCalls.fchmod(file, mode), "fchmod", null);

    /// <summary>Sets the modification time, utimensat(2); the access time stays.</summary>
    public static void SetModified(string path, long seconds, uint nanoseconds)
    {
        var times = stackalloc FileCalls.Timespec[2];
        times[0] = new() { Nanoseconds = UTIME_OMIT };
        times[1] = new() { Seconds = seconds, Nanoseconds = nanoseconds };
        fixed (byte* raw = RawName.Of(path))
            Check(FileCalls.utimensat(FileCalls.WorkingDirectory, raw, times, AT_SYMLINK_NOFOLLOW), "utimensat", path);
    }

    /// <summary>A device number as mknod(2) takes it: makedev(3) of the C library.</summary>
    public static ulong Device(uint major, uint minor) =>
        (ulong)(minor & 0xff) | (ulong)(major & 0xfff) << 8 | (ulong)(minor & ~0xffu) << 12 | (ulong)(major & ~0xfffu) << 32;

    /// <summary>0, or errno. The umask applies.</summary>
    internal static int TryMakeDirectory(SafeFileHandle parent, string name, uint mode)
    {
        fixed (byte* raw = RawName.Of(name))
            return FileCalls.mkdirat(parent, raw, mode) == 0 ? 0 : Errno.Last;
    }

    private static void Check(int result, string call, string? path)
    {
        if (result < 0)
            throw Errno.Fault(call, path);
    }
}
