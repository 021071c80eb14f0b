using Microsoft.Win32.SafeHandles;
using Runtime.Faults;
using Runtime.Linux;
using Runtime.Linux.Files;
using static Runtime.Linux.Files.FileConstants;

namespace Runtime.Oci.Layers;

/// <summary>
/// The directory that a layer is applied to. Every path is resolved with it as root (openat2), and the last part is never
/// followed: so no symlink, of this layer or of one below, leads out.
/// </summary>
internal sealed unsafe class LayerTree(RootDirectory root, LayerParents parents) : IDisposable
{
    /// <summary>As the kernel bounds a chain of symlinks (MAXSYMLINKS).</summary>
    private const int MaxLinks = 40;

    private readonly DirectoryCache _directories = new();

    public long Inodes { get; private set; }

    /// <summary>Directories that were made because something is in them.</summary>
    public long MadeParents { get; private set; }

    /// <summary>The directory <paramref name="path"/> (relative, empty for the root), made where it is missing. Owned by the cache.</summary>
    public SafeFileHandle Directory(ReadOnlySpan<byte> path)
    {
        if (_directories.Find(path) is { } cached)
            return cached;
        var opened = TryOpenDirectory(path, out var errno)
            ?? (errno is Errno.ENOENT or Errno.ENOTDIR ? Make(path, 0) : throw Errno.Fault(errno, "openat2", LayerFault.Shown(path)));
        _directories.Add(path, opened);
        return opened;
    }

    /// <summary>Null where it is missing, or no directory.</summary>
    public SafeFileHandle? TryDirectory(ReadOnlySpan<byte> path)
    {
        if (_directories.Find(path) is { } cached)
            return cached;
        var opened = TryOpenDirectory(path, out var errno);
        if (opened is null)
            return errno is Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP ? null : throw Errno.Fault(errno, "openat2", LayerFault.Shown(path));
        _directories.Add(path, opened);
        return opened;
    }

    /// <summary>Makes a directory; one that is there stays with its content.</summary>
    /// <returns>Its handle, owned by the cache, and what had its place before.</returns>
    public (SafeFileHandle Handle, FileStatus? Before) MakeDirectory(LayerPath path)
    {
        if (path.IsRoot)
            return (Directory(default), FileStatus.Of(root.Handle));
        var parent = Directory(path.Parent);
        FileStatus? before = null;
        fixed (byte* name = path.RawBase)
        {
            if (FileCalls.mkdirat(parent, name, 0b111_000_000) < 0)
            {
                if (Errno.Last != Errno.EEXIST)
                    throw Errno.Fault("mkdirat", LayerFault.Shown(path.Path));
                before = FileStatus.TryAt(parent, path.RawBase, AT_SYMLINK_NOFOLLOW);
                if (before is not { IsDirectory: true })
                {
                    Remove(path);
                    parent = Directory(path.Parent);
                    Check(FileCalls.mkdirat(parent, name, 0b111_000_000), "mkdirat", path);
                    Inodes++;
                }
            }
            else
            {
                Inodes++;
            }
            if (_directories.Find(path.Path) is { } cached)
                return (cached, before);
            var fd = FileCalls.openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
            Check(fd, "openat", path);
            var handle = new SafeFileHandle(fd, ownsHandle: true);
            _directories.Add(path.Path, handle);
            return (handle, before);
        }
    }

    /// <summary>Makes a regular file, instead of whatever is there. The caller closes it.</summary>
    public SafeFileHandle MakeFile(LayerPath path)
    {
        var file = default(SafeFileHandle);
        Replace(path, (parent, name) =>
        {
            var fd = FileCalls.openat(parent, (byte*)name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0b110_000_000);
            if (fd >= 0)
                file = new SafeFileHandle(fd, ownsHandle: true);
            return fd;
        }, "openat");
        Inodes++;
        return file!;
    }

    public void MakeNode(LayerPath path, uint mode, ulong device)
    {
        Replace(path, (parent, name) => FileCalls.mknodat(parent, (byte*)name, mode, device), "mknodat");
        Inodes++;
    }

    /// <param name="target">With its NUL. Stored, never followed here.</param>
    public void MakeSymlink(LayerPath path, byte[] target)
    {
        Replace(path, (parent, name) =>
        {
            fixed (byte* to = target)
                return FileCalls.symlinkat(to, parent, (byte*)name);
        }, "symlinkat");
        Inodes++;
    }

    /// <summary>Links a name to another one below this root; a symlink is linked itself.</summary>
    public void MakeHardLink(LayerPath path, LayerPath target)
    {
        var from = target.IsRoot ? null : TryDirectory(target.Parent);
        if ((from is null || FileStatus.TryAt(from, target.RawBase, AT_SYMLINK_NOFOLLOW) is null) && !target.IsRoot)
        {
            parents.CopyUp(this, target);
            from = TryDirectory(target.Parent);
        }
        if (from is null || FileStatus.TryAt(from, target.RawBase, AT_SYMLINK_NOFOLLOW) is not { } status || status.IsDirectory)
            throw NoTarget(path, target);
        if (FileStatus.TryAt(Directory(path.Parent), path.RawBase, AT_SYMLINK_NOFOLLOW) is { } there
            && there.Inode == status.Inode && there.Device == status.Device)
            return;
        Replace(path, (parent, name) =>
        {
            // Opened again: the cache let go of it if a directory was cleared away, and the target may have gone with that.
            var directory = TryDirectory(target.Parent) ?? throw NoTarget(path, target);
            fixed (byte* existing = target.RawBase)
                return FileCalls.linkat(directory, existing, parent, (byte*)name, 0);
        }, "linkat");
    }

    private static FaultException NoTarget(LayerPath path, LayerPath target) => new(
        FaultKind.InvalidArgument, "layer.link-target-missing",
        $"The hard link '{LayerFault.Shown(path.Path)}' has no file '{LayerFault.Shown(target.Path)}' to link to.");

    /// <summary>Removes whatever has that path, with all below it.</summary>
    public void Remove(LayerPath path)
    {
        if (TryDirectory(path.Parent) is not { } parent
            || FileStatus.TryAt(parent, path.RawBase, AT_SYMLINK_NOFOLLOW) is not { } status)
            return;
        DirectoryTree.DeleteEntry(parent, path.RawBase, status.IsDirectory, FileStatus.Of(parent), 0);
        // Another file of that name cannot have been a part of any path.
        if (status.IsDirectory || status.IsSymlink)
            _directories.Forget();
    }

    public void Dispose() => _directories.Dispose();

    /// <summary>Makes a missing directory and its parents, component by component.</summary>
    private SafeFileHandle Make(ReadOnlySpan<byte> path, int links)
    {
        if (links > MaxLinks)
            throw Errno.Fault(Errno.ELOOP, "openat2", LayerFault.Shown(path));
        var slash = path.LastIndexOf((byte)'/');
        var parentPath = slash < 0 ? default : path[..slash];
        var existing = TryOpenDirectory(parentPath, out var errno);
        if (existing is null && errno is not (Errno.ENOENT or Errno.ENOTDIR))
            throw Errno.Fault(errno, "openat2", LayerFault.Shown(parentPath));
        using var parent = existing ?? Make(parentPath, links + 1);
        byte[] name = [.. path[(slash + 1)..], 0];
        if (MakeIn(parent, name, path) is { } linkTarget)
            return FollowMissing(parentPath, linkTarget, links);
        return TryOpenDirectory(path, out errno) ?? throw Errno.Fault(errno, "openat2", LayerFault.Shown(path));
    }

    /// <summary>Null when the directory is there now; else the target of a symlink that leads to nothing yet.</summary>
    private byte[]? MakeIn(SafeFileHandle parent, byte[] name, ReadOnlySpan<byte> path)
    {
        fixed (byte* raw = name)
        {
            if (FileStatus.TryAt(parent, name, AT_SYMLINK_NOFOLLOW) is { } status)
            {
                if (status.IsDirectory)
                    return null;
                if (status.IsSymlink && ReadLink(parent, raw) is var target && TryOpenDirectory(path, out var why) is null && why == Errno.ENOENT)
                    return target;
                // A file where the layer has a directory: it goes, as if the layer had said so.
                Check(FileCalls.unlinkat(parent, raw, 0), "unlinkat", path);
                _directories.Forget();
            }
            if (parents.TryCopyLink(parent, name, path) is { } copied)
            {
                Inodes++;
                return TryOpenDirectory(path, out _) is { } there ? Closed(there) : copied;
            }
            Check(FileCalls.mkdirat(parent, raw, 0b111_000_000), "mkdirat", path);
            Inodes++;
            MadeParents++;
            parents.CopyAttributes(parent, name, path);
            return null;
        }
    }

    private SafeFileHandle FollowMissing(ReadOnlySpan<byte> parentPath, ReadOnlySpan<byte> target, int links)
    {
        var resolved = new LayerPath();
        resolved.SetInside(target.StartsWith("/"u8) ? default : parentPath, target);
        return TryOpenDirectory(resolved.Path, out _) ?? Make(resolved.Path, links + 1);
    }

    private static byte[]? Closed(SafeFileHandle handle)
    {
        handle.Dispose();
        return null;
    }

    private static byte[] ReadLink(SafeFileHandle parent, byte* name)
    {
        var target = stackalloc byte[LayerPath.MaxBytes];
        var length = FileCalls.readlinkat(parent, name, target, LayerPath.MaxBytes);
        return length >= 0 ? new ReadOnlySpan<byte>(target, (int)length).ToArray() : throw Errno.Fault("readlinkat");
    }

    private SafeFileHandle? TryOpenDirectory(ReadOnlySpan<byte> path, out int errno)
    {
        Span<byte> terminated = stackalloc byte[LayerPath.MaxBytes + 1];
        if (path.IsEmpty)
            path = "."u8;
        path.CopyTo(terminated);
        terminated[path.Length] = 0;
        return root.TryOpen(terminated[..(path.Length + 1)], O_RDONLY | O_DIRECTORY, 0, out errno);
    }

    /// <summary>Makes something with a call that fails with EEXIST, and if it does, once more after removing what is there.</summary>
    private void Replace(LayerPath path, Func<SafeFileHandle, nint, int> make, string call)
    {
        if (path.IsRoot)
            throw LayerFault.Malformed("The layer's root is something else than a directory.");
        fixed (byte* name = path.RawBase)
        {
            if (make(Directory(path.Parent), (nint)name) >= 0)
                return;
            if (Errno.Last != Errno.EEXIST)
                throw Errno.Fault(call, LayerFault.Shown(path.Path));
            Remove(path);
            Check(make(Directory(path.Parent), (nint)name), call, path);
        }
    }

    private static void Check(int result, string call, LayerPath path) => Check(result, call, path.Path);

    private static void Check(int result, string call, ReadOnlySpan<byte> path)
    {
        if (result < 0)
            throw Errno.Fault(call, LayerFault.Shown(path));
    }
}
