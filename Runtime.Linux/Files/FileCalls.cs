using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Runtime.Linux.Files;

/// <summary>
/// The file system calls, as the C library has them. Names are NUL-terminated bytes: a Linux file name need not be UTF-8.
/// All of them exist since Linux 5.6 (openat2, the newest).
/// </summary>
internal static unsafe partial class FileCalls
{
    private const string Libc = "libc";
    private const long SYS_openat2 = 437;
    private static readonly long SYS_getdents64 = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 61 : 217;

    /// <summary>For the *at calls: relative to the working directory.</summary>
    public static readonly SafeFileHandle WorkingDirectory = new(FileConstants.AT_FDCWD, ownsHandle: false);

    /// <summary>struct open_how, openat2(2).</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct OpenHow
    {
        public ulong Flags;
        public ulong Mode;
        public ulong Resolve;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct Timespec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    /// <summary>Opens <paramref name="path"/> as if <paramref name="dir"/> was the root directory. -1 and errno on failure.</summary>
    public static int OpenAt2(SafeFileHandle dir, byte* path, int flags, uint mode, ulong resolve)
    {
        var how = new OpenHow { Flags = (ulong)flags, Mode = mode, Resolve = resolve };
        // EAGAIN: a rename or mount elsewhere raced with a ".." of the walk; openat2(2) says to try again.
        for (var attempt = 0; ; attempt++)
        {
            var fd = (int)syscall(SYS_openat2, dir, path, &how, (nuint)sizeof(OpenHow));
            if (fd >= 0 || attempt == 100 || Errno.Last is not (Errno.EAGAIN or Errno.EINTR))
                return fd;
        }
    }

    public static nint GetDents64(SafeFileHandle dir, byte* buffer, nuint length) => syscall(SYS_getdents64, dir, buffer, length);

    [LibraryImport(Libc, SetLastError = true)]
    private static partial nint syscall(long number, SafeFileHandle dir, byte* path, OpenHow* how, nuint size);

    [LibraryImport(Libc, SetLastError = true)]
    private static partial nint syscall(long number, SafeFileHandle dir, byte* buffer, nuint length);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial int openat(SafeFileHandle dir, byte* path, int flags, uint mode);

    [LibraryImport(Libc, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int open(string path, int flags, uint mode);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial nint read(SafeFileHandle file, byte* buffer, nuint length);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial nint write(SafeFileHandle file, byte* buffer, nuint length);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial long lseek(SafeFileHandle file, long offset, int whence);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial int ftruncate(SafeFileHandle file, long length);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial int fsync(SafeFileHandle file);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial int syncfs(SafeFileHandle file);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial int flock(SafeFileHandle file, int operation);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial int mkdirat(SafeFileHandle dir, byte* path, uint mode);

    [LibraryImport(Libc, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int mkdir(string path, uint mode);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial int mknodat(SafeFileHandle dir, byte* path, uint mode, ulong device);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial int symlinkat(byte* target, SafeFileHandle dir, byte* path);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial int linkat(SafeFileHandle fromDir, byte* from, SafeFileHandle toDir, byte* to, int flags);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial int unlinkat(SafeFileHandle dir, byte* path, int flags);

    [LibraryImport(Libc, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int unlink(string path);

    [LibraryImport(Libc, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rmdir(string path);

    [LibraryImport(Libc, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rename(string from, string to);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial nint readlinkat(SafeFileHandle dir, byte* path, byte* buffer, nuint size);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial int fchownat(SafeFileHandle dir, byte* path, uint uid, uint gid, int flags);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial int fchown(SafeFileHandle file, uint uid, uint gid);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial int fchmodat(SafeFileHandle dir, byte* path, uint mode, int flags);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial int fchmod(SafeFileHandle file, uint mode);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial int utimensat(SafeFileHandle dir, byte* path, Timespec* times, int flags);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial int futimens(SafeFileHandle file, Timespec* times);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial int statx(SafeFileHandle dir, byte* path, int flags, uint mask, byte* buffer);

    [LibraryImport(Libc, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int statfs(string path, byte* buffer);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial int fstatfs(SafeFileHandle file, byte* buffer);

    [LibraryImport(Libc, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int lsetxattr(string path, byte* name, byte* value, nuint size, int flags);

    [LibraryImport(Libc, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int setxattr(string path, byte* name, byte* value, nuint size, int flags);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial int fsetxattr(SafeFileHandle file, byte* name, byte* value, nuint size, int flags);

    [LibraryImport(Libc, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint lgetxattr(string path, string name, byte* value, nuint size);

    [LibraryImport(Libc, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint fgetxattr(SafeFileHandle file, string name, byte* value, nuint size);

    [LibraryImport(Libc, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint llistxattr(string path, byte* list, nuint size);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial nint flistxattr(SafeFileHandle file, byte* list, nuint size);

    [LibraryImport(Libc, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int lremovexattr(string path, string name);
}
