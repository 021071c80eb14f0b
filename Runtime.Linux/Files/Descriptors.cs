using System.Buffers;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Runtime.Faults;

namespace Runtime.Linux.Files;

/// <summary>Reading, writing and asking about open descriptors.</summary>
public static class Descriptors
{
    /// <summary>Opens a path of the host with the flags of open(2), <see cref="FileConstants"/>; O_CLOEXEC is added.</summary>
    /// <param name="mode">Permission bits of a file that is created; the umask applies.</param>
    public static SafeFileHandle Open(string path, int flags, uint mode = 0) =>
        TryOpen(path, flags, mode) ?? throw Errno.Fault(Errno.ENOENT, "open", path);

    /// <summary>Null where nothing has that path.</summary>
    public static SafeFileHandle? TryOpen(string path, int flags, uint mode = 0)
    {
        int fd;
        do
        {
            fd = FileCalls.open(path, flags | FileConstants.O_CLOEXEC, mode);
        }
        while (fd < 0 && Errno.Last == Errno.EINTR);
        if (fd >= 0)
            return new SafeFileHandle(fd, ownsHandle: true);
        var errno = Errno.Last;
        return errno is Errno.ENOENT or Errno.ENOTDIR ? null : throw Errno.Fault(errno, "open", path);
    }

    /// <summary>Writes all of it at the descriptor's position.</summary>
    public static unsafe void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, string? path = null)
    {
        fixed (byte* start = bytes)
        {
            for (var done = 0; done < bytes.Length;)
            {
                var count = FileCalls.write(file, start + done, (nuint)(bytes.Length - done));
                if (count >= 0)
                    done += (int)count;
                else if (Errno.Last != Errno.EINTR)
                    throw Errno.Fault("write", path);
            }
        }
    }

    /// <summary>Reads at the descriptor's position; 0 at the end.</summary>
    public static unsafe int Read(SafeFileHandle file, Span<byte> into, string? path = null)
    {
        fixed (byte* start = into)
        {
            while (true)
            {
                var count = FileCalls.read(file, start, (nuint)into.Length);
                if (count >= 0)
                    return (int)count;
                if (Errno.Last != Errno.EINTR)
                    throw Errno.Fault("read", path);
            }
        }
    }

    /// <summary>Everything up to the end.</summary>
    /// <param name="maxBytes">More is a fault, ResourceExhausted.</param>
    public static byte[] ReadToEnd(SafeFileHandle file, int maxBytes, string? path = null)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Math.Min(maxBytes, 16 * 1024) + 1);
        try
        {
            for (var length = 0; ;)
            {
                var count = Read(file, buffer.AsSpan(length), path);
                if (count == 0)
                    return buffer.AsSpan(0, length).ToArray();
                length += count;
                if (length > maxBytes)
                    throw new FaultException(
                        FaultKind.ResourceExhausted, "file.too-big", $"{path ?? "A file"} is bigger than {maxBytes} bytes.");
                if (length == buffer.Length)
                    buffer = Grown(buffer);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>fsync(2): returns when file and size are on disk.</summary>
    public static void Sync(SafeFileHandle file, string? path = null)
    {
        if (FileCalls.fsync(file) < 0)
            throw Errno.Fault("fsync", path);
    }

    /// <summary>syncfs(2): returns when everything written to the file system of <paramref name="file"/> is on disk.</summary>
    public static void SyncFileSystem(SafeFileHandle file, string? path = null)
    {
        if (FileCalls.syncfs(file) < 0)
            throw Errno.Fault("syncfs", path);
    }

    /// <summary>What the kernel calls the open file; ends with <c> (deleted)</c> for a removed one.</summary>
    public static unsafe string PathOf(SafeFileHandle file)
    {
        var link = MagicLink(file);
        var target = stackalloc byte[RawName.MaxPath];
        fixed (byte* path = RawName.Of(link))
        {
            var length = FileCalls.readlinkat(FileCalls.WorkingDirectory, path, target, RawName.MaxPath);
            return length >= 0 ? Encoding.UTF8.GetString(target, (int)length) : throw Errno.Fault("readlinkat", link);
        }
    }

    /// <summary>A path that leads to the open file itself, for calls that take no descriptor. Valid while the handle is open.</summary>
    public static string MagicLink(SafeFileHandle file) => $"/proc/self/fd/{file.DangerousGetHandle()}";

    private static byte[] Grown(byte[] buffer)
    {
        var bigger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.CopyTo(bigger, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        return bigger;
    }
}
