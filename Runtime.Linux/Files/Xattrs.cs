using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Runtime.Linux.Files;

/// <summary>Extended attributes, xattr(7). By path a symlink's own.</summary>
public static unsafe class Xattrs
{
    /// <summary>XATTR_SIZE_MAX: the kernel's bound for one value, and for the list of names.</summary>
    public const int MaxBytes = 64 * 1024;

    /// <summary>Null where the file has no such attribute, or the file system has none at all.</summary>
    public static byte[]? Get(string path, string name) =>
        Read((value, size) => FileCalls.lgetxattr(path, name, (byte*)value, (nuint)size), "lgetxattr", path);

    public static byte[]? Get(SafeFileHandle file, string name) =>
        Read((value, size) => FileCalls.fgetxattr(file, name, (byte*)value, (nuint)size), "fgetxattr", null);

    public static IReadOnlyList<string> List(string path) =>
        Names(Read((list, size) => FileCalls.llistxattr(path, (byte*)list, (nuint)size), "llistxattr", path));

    public static IReadOnlyList<string> List(SafeFileHandle file) =>
        Names(Read((list, size) => FileCalls.flistxattr(file, (byte*)list, (nuint)size), "flistxattr", null));

    public static void Set(string path, string name, ReadOnlySpan<byte> value)
    {
        fixed (byte* rawName = RawName.Of(name), rawValue = value)
        {
            if (FileCalls.lsetxattr(path, rawName, rawValue, (nuint)value.Length, 0) < 0)
                throw Errno.Fault("lsetxattr", $"{path} {name}");
        }
    }

    public static void Set(SafeFileHandle file, string name, ReadOnlySpan<byte> value)
    {
        fixed (byte* rawName = RawName.Of(name), rawValue = value)
        {
            if (FileCalls.fsetxattr(file, rawName, rawValue, (nuint)value.Length, 0) < 0)
                throw Errno.Fault("fsetxattr", name);
        }
    }

    /// <summary>Whether there was one to remove.</summary>
    public static bool Remove(string path, string name)
    {
        if (FileCalls.lremovexattr(path, name) == 0)
            return true;
        var errno = Errno.Last;
        return errno is Errno.ENODATA or Errno.EOPNOTSUPP ? false : throw Errno.Fault(errno, "lremovexattr", $"{path} {name}");
    }

    private static byte[]? Read(Func<nint, int, nint> call, string name, string? path)
    {
        // Most values are small: one call. A bigger one may grow between two calls, hence the loop.
        for (var size = 256; ;)
        {
            var buffer = new byte[size];
            nint length;
            fixed (byte* start = buffer)
                length = call((nint)start, size);
            if (length >= 0)
                return buffer.AsSpan(0, (int)length).ToArray();
            switch (Errno.Last)
            {
                case Errno.ENODATA or Errno.EOPNOTSUPP:
                    return null;
                case Errno.ERANGE when size < MaxBytes:
                    size = MaxBytes;
                    break;
                case var errno:
                    throw Errno.Fault(errno, name, path);
            }
        }
    }

    private static string[] Names(byte[]? list) =>
        list is null ? [] : Encoding.UTF8.GetString(list).Split('\0', StringSplitOptions.RemoveEmptyEntries);
}
