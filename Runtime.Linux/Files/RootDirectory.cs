using System.Text;
using Microsoft.Win32.SafeHandles;
using Runtime.Faults;
using static Runtime.Linux.Files.FileConstants;

namespace Runtime.Linux.Files;

/// <summary>
/// A directory that paths are resolved in as if it was <c>/</c>: neither <c>..</c> nor a symlink, absolute or relative, leads out
/// of it (openat2(2) with RESOLVE_IN_ROOT, Linux 5.6). For every path that an image, a container or a pod can influence.
/// </summary>
/// <remarks>Safe while somebody else renames inside of it. Safe for use by several threads.</remarks>
public sealed class RootDirectory : IDisposable
{
    private const ulong RESOLVE_NO_MAGICLINKS = 0x02;
    private const ulong RESOLVE_IN_ROOT = 0x10;

    private RootDirectory(string path, SafeFileHandle handle)
    {
        Path = path;
        Handle = handle;
    }

    /// <summary>As it was given to <see cref="Open"/>.</summary>
    public string Path { get; }

    public SafeFileHandle Handle { get; }

    /// <summary>Opens a directory of the host, following symlinks.</summary>
    public static RootDirectory Open(string path)
    {
        if (path.Contains('\0'))
            throw new FaultException(FaultKind.InvalidArgument, "path.has-nul", "A directory's path contains a NUL character.");
        var fd = FileCalls.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
        return fd >= 0 ? new(path, new SafeFileHandle(fd, ownsHandle: true)) : throw Errno.Fault("open", path);
    }

    /// <summary>Opens with the flags of open(2); O_CLOEXEC is added.</summary>
    /// <param name="path">Absolute or relative, both from this root.</param>
    /// <param name="mode">Permission bits of a file that is created; the umask applies.</param>
    public SafeFileHandle OpenAt(string path, int flags, uint mode = 0) =>
        TryOpenAt(path, flags, mode) ?? throw Errno.Fault(Errno.ENOENT, "openat2", Shown(path));

    /// <summary>Null where nothing has that path.</summary>
    public SafeFileHandle? TryOpenAt(string path, int flags, uint mode = 0)
    {
        var file = TryOpen(RawName.Of(path.Length == 0 ? "." : path), flags, mode, out var errno);
        if (file is not null)
            return file;
        return errno is Errno.ENOENT or Errno.ENOTDIR ? null : throw Errno.Fault(errno, "openat2", Shown(path));
    }

    /// <summary>The directory <paramref name="path"/>, made with all its parents where missing.</summary>
    /// <param name="mode">Permission bits of what is made; the umask applies.</param>
    public SafeFileHandle CreateDirectory(string path, uint mode = 0b111_101_101)
    {
        var existing = TryOpenAt(path, O_RDONLY | O_DIRECTORY);
        if (existing is not null)
            return existing;
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var current = OpenAt("/", O_RDONLY | O_DIRECTORY);
        for (var depth = 1; depth <= parts.Length; depth++)
        {
            var next = TryOpenAt(string.Join('/', parts, 0, depth), O_RDONLY | O_DIRECTORY)
                ?? MakeAndOpen(current, parts, depth, mode);
            current.Dispose();
            current = next;
        }
        return current;
    }

    /// <summary>Reads a file whole.</summary>
    /// <returns>Null where nothing has that path.</returns>
    /// <param name="maxBytes">A bigger file is a fault, ResourceExhausted. Anything but a regular file is one too.</param>
    public byte[]? TryReadFile(string path, int maxBytes)
    {
        // O_NONBLOCK: a fifo planted in an image must not block the daemon.
        using var file = TryOpenAt(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        if (file is null)
            return null;
        if (!FileStatus.Of(file).IsFile)
            throw new FaultException(FaultKind.FailedPrecondition, "file.not-regular", $"{Shown(path)} is not a regular file.");
        return Descriptors.ReadToEnd(file, maxBytes, Shown(path));
    }

    /// <summary>The path on the host that <paramref name="path"/> leads to now. Use a handle where the tree can change.</summary>
    public string Resolve(string path)
    {
        using var target = OpenAt(path, O_PATH);
        return Descriptors.PathOf(target);
    }

    public void Dispose() => Handle.Dispose();

    internal unsafe SafeFileHandle? TryOpen(ReadOnlySpan<byte> path, int flags, uint mode, out int errno)
    {
        int fd;
        fixed (byte* bytes = path)
            fd = FileCalls.OpenAt2(Handle, bytes, flags | O_CLOEXEC, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
        errno = fd < 0 ? Errno.Last : 0;
        return fd < 0 ? null : new SafeFileHandle(fd, ownsHandle: true);
    }

    private SafeFileHandle MakeAndOpen(SafeFileHandle parent, string[] parts, int depth, uint mode)
    {
        var name = parts[depth - 1];
        if (name is "..")
            throw new FaultException(
                FaultKind.InvalidArgument, "path.has-dots", $"{Shown(string.Join('/', parts))} goes up from a directory that is missing.");
        var made = Inodes.TryMakeDirectory(parent, name, mode);
        if (made is not (0 or Errno.EEXIST))
            throw Errno.Fault(made, "mkdirat", Shown(string.Join('/', parts, 0, depth)));
        return OpenAt(string.Join('/', parts, 0, depth), O_RDONLY | O_DIRECTORY);
    }

    private string Shown(string path) => RawName.Shown(new StringBuilder(Path).Append(':').Append(path).ToString());
}
