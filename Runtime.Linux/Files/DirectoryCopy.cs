using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Runtime.Faults;
using static Runtime.Linux.Files.FileConstants;

namespace Runtime.Linux.Files;

/// <summary>
/// Copies trees through descriptors, with owner, mode, times, extended attributes, hard links, symlinks and device nodes. Content is
/// shared where the file system can (reflinks). Never follows a symlink, never crosses into another mount; sockets are left out.
/// </summary>
public static unsafe partial class DirectoryCopy
{
    private const int MaxDepth = 2048; // as DirectoryTree
    private const int BufferBytes = 256 * 1024;
    private const long PieceBytes = 1 << 30;

    /// <param name="to">An existing, empty directory; it gets the attributes of <paramref name="from"/> too.</param>
    /// <exception cref="FaultException">ResourceExhausted for a full disk; what was copied so far is the caller's to remove.</exception>
    public static void Copy(string from, string to, CancellationToken cancel = default)
    {
        using var source = Descriptors.Open(from, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        using var target = Descriptors.Open(to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        var copy = new State(FileStatus.Of(source), target, cancel);
        CopyContent(source, target, copy, 0);
        CopyAttributes(source, target, FileStatus.Of(source));
    }

    private sealed record State(FileStatus Root, SafeFileHandle Target, CancellationToken Cancel)
    {
        /// <summary>Where an inode with several names was copied to first: its new parent's path and its name.</summary>
        public Dictionary<ulong, (string Directory, byte[] Name)> Linked { get; } = [];
    }

    private static void CopyContent(SafeFileHandle from, SafeFileHandle to, State state, int depth)
    {
        if (depth > MaxDepth)
            throw new FaultException(FaultKind.ResourceExhausted, "tree.too-deep", $"{Descriptors.PathOf(from)} is deeper than {MaxDepth} directories.");
        using var reader = new DirectoryReader(from);
        while (reader.Read())
        {
            state.Cancel.ThrowIfCancellationRequested();
            if (FileStatus.TryAt(from, reader.Name, AT_SYMLINK_NOFOLLOW) is not { } status || status.MountId != state.Root.MountId)
                continue;
            fixed (byte* name = reader.Name)
                CopyEntry(from, to, name, reader.Name, status, state, depth);
        }
    }

    private static void CopyEntry(
        SafeFileHandle from, SafeFileHandle to, byte* name, ReadOnlySpan<byte> text, FileStatus status, State state, int depth)
    {
        if (!status.IsDirectory && status.Links > 1 && TryLink(to, name, status, state))
            return;
        switch (status.Mode & S_IFMT)
        {
            case S_IFDIR:
                Check(FileCalls.mkdirat(to, name, 0b111_000_000), "mkdirat", to, text);
                using (var source = OpenAt(from, name, text, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
                using (var target = OpenAt(to, name, text, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
                {
                    CopyContent(source, target, state, depth + 1);
                    CopyAttributes(source, target, status);
                }
                break;
            case S_IFREG:
                using (var source = OpenAt(from, name, text, O_RDONLY | O_NOFOLLOW))
                using (var target = OpenAt(to, name, text, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0b110_000_000))
                {
                    CopyBytes(source, target, status.Size);
                    CopyAttributes(source, target, status);
                }
                break;
            case S_IFLNK:
                CopySymlink(from, to, name, text, status);
                break;
            case S_IFCHR or S_IFBLK or S_IFIFO:
                Check(FileCalls.mknodat(to, name, status.Mode, Inodes.Device(status.DeviceMajor, status.DeviceMinor)), "mknodat", to, text);
                Check(FileCalls.fchownat(to, name, status.Uid, status.Gid, AT_SYMLINK_NOFOLLOW), "fchownat", to, text);
                Check(FileCalls.fchmodat(to, name, status.Permissions, 0), "fchmodat", to, text);
                SetModified(to, name, text, status);
                break;
            default:
                return; // a socket means nothing without the process that listens
        }
        if (!status.IsDirectory && status.Links > 1)
            state.Linked[status.Inode] = (Descriptors.PathOf(to), text.ToArray());
    }

    private static bool TryLink(SafeFileHandle to, byte* name, FileStatus status, State state)
    {
        if (!state.Linked.TryGetValue(status.Inode, out var first))
            return false;
        using var directory = Descriptors.Open(first.Directory, O_PATH | O_DIRECTORY | O_NOFOLLOW);
        fixed (byte* existing = first.Name)
            // EMLINK: the file system's limit of names was lower than the source's; it becomes a file of its own.
            return FileCalls.linkat(directory, existing, to, name, 0) == 0;
    }

    private static void CopySymlink(SafeFileHandle from, SafeFileHandle to, byte* name, ReadOnlySpan<byte> text, FileStatus status)
    {
        var target = stackalloc byte[RawName.MaxPath];
        var length = FileCalls.readlinkat(from, name, target, RawName.MaxPath - 1);
        Check((int)length, "readlinkat", from, text);
        target[length] = 0;
        Check(FileCalls.symlinkat(target, to, name), "symlinkat", to, text);
        Check(FileCalls.fchownat(to, name, status.Uid, status.Gid, AT_SYMLINK_NOFOLLOW), "fchownat", to, text);
        SetModified(to, name, text, status);
    }

    /// <summary>Owner before mode: chown takes set-user-id bits and capabilities away.</summary>
    private static void CopyAttributes(SafeFileHandle from, SafeFileHandle to, FileStatus status)
    {
        Inodes.ChangeOwner(to, status.Uid, status.Gid);
        Inodes.ChangeMode(to, status.Permissions);
        foreach (var attribute in Xattrs.List(from))
        {
            if (Xattrs.Get(from, attribute) is { } value)
                Xattrs.Set(to, attribute, value);
        }
        var times = Times(status);
        // futimens(3): utimensat of the descriptor itself, by its magic link.
        fixed (byte* path = RawName.Of(Descriptors.MagicLink(to)))
        {
            if (FileCalls.utimensat(FileCalls.WorkingDirectory, path, &times.Accessed, 0) < 0)
                throw Errno.Fault("utimensat", Descriptors.PathOf(to));
        }
    }

    private static void SetModified(SafeFileHandle to, byte* name, ReadOnlySpan<byte> text, FileStatus status)
    {
        var times = Times(status);
        Check(FileCalls.utimensat(to, name, &times.Accessed, AT_SYMLINK_NOFOLLOW), "utimensat", to, text);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct TimePair
    {
        public FileCalls.Timespec Accessed;
        public FileCalls.Timespec Modified;
    }

    private static TimePair Times(FileStatus status)
    {
        var at = new FileCalls.Timespec { Seconds = status.ModifiedSeconds, Nanoseconds = status.ModifiedNanoseconds };
        return new() { Accessed = at, Modified = at };
    }

    /// <summary>copy_file_range(2) shares extents or copies in the kernel; where it cannot, by hand. Holes become zeros there.</summary>
    private static void CopyBytes(SafeFileHandle from, SafeFileHandle to, long size)
    {
        for (long done = 0; done < size;)
        {
            var count = copy_file_range(from, null, to, null, (nuint)Math.Min(size - done, PieceBytes), 0);
            if (count == 0)
                return;
            if (count > 0)
            {
                done += count;
                continue;
            }
            if (Errno.Last is not (Errno.EXDEV or Errno.EINVAL or Errno.ENOSYS or Errno.EOPNOTSUPP))
                throw Errno.Fault("copy_file_range", Descriptors.PathOf(to));
            var buffer = new byte[BufferBytes];
            for (int read; (read = Descriptors.Read(from, buffer)) > 0;)
                Descriptors.Write(to, buffer.AsSpan(0, read));
            return;
        }
    }

    private static SafeFileHandle OpenAt(SafeFileHandle directory, byte* name, ReadOnlySpan<byte> text, int flags, uint mode = 0)
    {
        var fd = FileCalls.openat(directory, name, flags | O_CLOEXEC, mode);
        return fd >= 0 ? new(fd, ownsHandle: true) : throw Errno.Fault("openat", Named(directory, text));
    }

    private static void Check(int result, string call, SafeFileHandle directory, ReadOnlySpan<byte> name)
    {
        if (result < 0)
            throw Errno.Fault(call, Named(directory, name));
    }

    private static string Named(SafeFileHandle directory, ReadOnlySpan<byte> name)
    {
        var errno = Marshal.GetLastPInvokeError();
        var path = $"{Descriptors.PathOf(directory)}/{RawName.Shown(name)}";
        Marshal.SetLastPInvokeError(errno);
        return path;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint copy_file_range(SafeFileHandle from, long* fromOffset, SafeFileHandle to, long* toOffset, nuint length, uint flags);
}
