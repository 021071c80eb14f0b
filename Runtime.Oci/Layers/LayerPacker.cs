using Microsoft.Win32.SafeHandles;
using Runtime.Faults;
using Runtime.Linux;
using Runtime.Linux.Files;
using static Runtime.Linux.Files.FileConstants;

namespace Runtime.Oci.Layers;

/// <summary>
/// Writes what differs between two trees as a layer (OCI image-spec 1.1, layer.md): the inverse of <see cref="LayerApplier"/>. The same
/// trees give the same bytes. Owner, mode, time in seconds, file capabilities, user attributes, hard links and devices are
/// kept; sockets are left out. All calls block.
/// </summary>
public sealed class LayerPacker
{
    private const int BufferBytes = 256 * 1024;
    private const int SEEK_DATA = 3;
    private const int SEEK_HOLE = 4;

    private static ReadOnlySpan<byte> WhiteoutPrefix => ".wh."u8;

    private readonly RootDirectory _root;
    private readonly TarWriter _tar;
    private readonly long _newestSeconds;
    private readonly CancellationToken _cancel;
    private readonly byte[] _buffer = new byte[BufferBytes];
    private readonly HashSet<string> _directories = [];
    private readonly Dictionary<(ulong, ulong), byte[]> _linked = [];

    private LayerPacker(RootDirectory root, Stream target, DateTimeOffset? newest, CancellationToken cancel)
    {
        _root = root;
        _tar = new TarWriter(target);
        _newestSeconds = newest?.ToUnixTimeSeconds() ?? long.MaxValue;
        _cancel = cancel;
    }

    /// <summary>Writes the layer that an overlayfs upper directory is.</summary>
    /// <param name="newest">Later times are written as this one (SOURCE_DATE_EPOCH); whiteouts have it too.</param>
    /// <returns>False, and nothing is written: the upper directory refers to lower ones (<c>redirect_dir</c>, <c>metacopy</c>).</returns>
    public static bool TryWriteUpper(string upper, bool userXattr, Stream target, DateTimeOffset? newest, CancellationToken cancel)
    {
        using var root = RootDirectory.Open(upper);
        if (UpperChanges.Find(root, userXattr, cancel) is not { } changes)
            return false;
        new LayerPacker(root, target, newest, cancel).Write(changes);
        return true;
    }

    /// <summary>Writes what makes <paramref name="upper"/> out of <paramref name="lower"/>, after reading both.</summary>
    /// <param name="lower">Null: nothing.</param>
    /// <param name="newest">Later times are written as this one (SOURCE_DATE_EPOCH); whiteouts have it too.</param>
    public static void WriteDifference(string? lower, string upper, Stream target, DateTimeOffset? newest, CancellationToken cancel)
    {
        using var root = RootDirectory.Open(upper);
        using var below = lower is null ? null : RootDirectory.Open(lower);
        new LayerPacker(root, target, newest, cancel).Write(TreeChanges.Find(below, root, cancel));
    }

    private void Write(List<LayerChange> changes)
    {
        foreach (var change in changes)
        {
            _cancel.ThrowIfCancellationRequested();
            CheckName(change.Path);
            WriteParents(change.Path);
            if (change.Status is { } status)
                WritePresent(change, status);
            else
                WriteMark(change.Path, WhiteoutPrefix);
        }
        _tar.Finish();
    }

    private static void CheckName(byte[] path)
    {
        if (path.AsSpan(path.AsSpan().LastIndexOf((byte)'/') + 1).StartsWith(WhiteoutPrefix))
            throw new FaultException(FaultKind.FailedPrecondition, "layer.reserved-name",
                $"'{LayerFault.Shown(path)}' cannot be in a layer: names that begin with .wh. mark what is deleted.");
    }

    /// <summary>Readers of layers take a directory that is missing for 0755 of root.</summary>
    private void WriteParents(byte[] path)
    {
        for (var end = path.AsSpan().IndexOf((byte)'/'); end >= 0;)
        {
            var parent = path[..end];
            if (!_directories.Contains(Convert.ToHexString(parent)))
                WriteDirectory(parent);
            var next = path.AsSpan(end + 1).IndexOf((byte)'/');
            end = next < 0 ? -1 : end + 1 + next;
        }
    }

    private void WritePresent(LayerChange change, FileStatus status)
    {
        if (status.IsDirectory)
        {
            WriteDirectory(change.Path);
            if (change.IsOpaque)
                WriteMark([.. change.Path, .. "/.wh..opq"u8], WhiteoutPrefix);
            return;
        }
        if (status.Links > 1 && !_linked.TryAdd((status.Device, status.Inode), change.Path))
        {
            var link = EntryOf(change.Path, status, TarEntryType.HardLink);
            link.LinkName = _linked[(status.Device, status.Inode)];
            _tar.Begin(link);
            return;
        }
        switch (status.Mode & S_IFMT)
        {
            case S_IFREG:
                if (!TryWriteFile(change.Path))
                    _linked.Remove((status.Device, status.Inode));
                break;
            case S_IFLNK:
                WriteSymlink(change.Path, status);
                break;
            case S_IFCHR:
                WriteNode(change.Path, status, TarEntryType.CharDevice);
                break;
            case S_IFBLK:
                WriteNode(change.Path, status, TarEntryType.BlockDevice);
                break;
            case S_IFIFO:
                WriteNode(change.Path, status, TarEntryType.Fifo);
                break;
        }
    }

    private void WriteDirectory(byte[] path)
    {
        using var directory = TryOpen(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        if (directory is null)
            return; // it went while we write
        _directories.Add(Convert.ToHexString(path));
        var entry = EntryOf([.. path, (byte)'/'], FileStatus.Of(directory), TarEntryType.Directory);
        AddXattrs(entry, directory);
        _tar.Begin(entry);
    }

    /// <summary>False when it went while we write.</summary>
    private bool TryWriteFile(byte[] path)
    {
        using var file = TryOpen(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
        if (file is null || FileStatus.Of(file) is not { IsFile: true } status)
            return false;
        var entry = EntryOf(path, status, TarEntryType.File);
        entry.Size = status.Size;
        AddXattrs(entry, file);
        _tar.Begin(entry);
        // A running container may write to it: the archive has as many bytes as the header says.
        for (var at = 0L; at < status.Size;)
        {
            var (data, hole) = NextData(file, at, status.Size);
            WriteZeros(data - at);
            WriteBytes(file, data, hole);
            at = hole;
        }
        return true;
    }

    private void WriteBytes(SafeFileHandle file, long from, long to)
    {
        while (from < to)
        {
            _cancel.ThrowIfCancellationRequested();
            var count = RandomAccess.Read(file, _buffer.AsSpan(0, (int)Math.Min(_buffer.Length, to - from)), from);
            if (count == 0)
            {
                WriteZeros(to - from);
                return;
            }
            _tar.Write(_buffer.AsSpan(0, count));
            from += count;
        }
    }

    private void WriteZeros(long count)
    {
        if (count == 0)
            return;
        _buffer.AsSpan().Clear();
        for (; count > 0; count -= Math.Min(_buffer.Length, count))
            _tar.Write(_buffer.AsSpan(0, (int)Math.Min(_buffer.Length, count)));
    }

    /// <summary>Where the next data begins and ends, lseek(2); holes are not read from disk. Without holes: all that is left.</summary>
    private static (long Data, long Hole) NextData(SafeFileHandle file, long at, long size)
    {
        var data = FileCalls.lseek(file, at, SEEK_DATA);
        if (data < 0)
            return Errno.Last == Errno.ENXIO ? (size, size) : (at, size);
        var hole = FileCalls.lseek(file, data, SEEK_HOLE);
        return (Math.Min(data, size), hole < 0 ? size : Math.Min(hole, size));
    }

    private void WriteSymlink(byte[] path, FileStatus status)
    {
        using var link = TryOpen(path, O_PATH | O_NOFOLLOW);
        if (link is null)
            return;
        var entry = EntryOf(path, status, TarEntryType.Symlink);
        entry.LinkName = LayerLinks.TargetOf(link, "\0"u8);
        _tar.Begin(entry);
    }

    private void WriteNode(byte[] path, FileStatus status, TarEntryType type)
    {
        var entry = EntryOf(path, status, type);
        if (type is not TarEntryType.Fifo)
            (entry.DeviceMajor, entry.DeviceMinor) = (status.DeviceMajor, status.DeviceMinor);
        _tar.Begin(entry);
    }

    /// <summary>An empty file whose name is the path's with a prefix.</summary>
    private void WriteMark(byte[] path, ReadOnlySpan<byte> prefix)
    {
        var name = path.AsSpan().LastIndexOf((byte)'/') + 1;
        _tar.Begin(new TarEntry
        {
            Name = [.. path.AsSpan(0, name), .. prefix, .. path.AsSpan(name)],
            Type = TarEntryType.File,
            Mode = 0,
            // Whiteouts have no time of their own, and a clock's would make every layer another one.
            ModifiedSeconds = _newestSeconds == long.MaxValue ? 0 : _newestSeconds,
        });
    }

    private TarEntry EntryOf(byte[] name, FileStatus status, TarEntryType type) => new()
    {
        Name = name,
        Type = type,
        Mode = status.Permissions,
        Uid = status.Uid,
        Gid = status.Gid,
        ModifiedSeconds = Math.Min(status.ModifiedSeconds, _newestSeconds),
    };

    private static void AddXattrs(TarEntry entry, SafeFileHandle file)
    {
        foreach (var name in LayerXattrs.NamesOf(file))
        {
            if (Xattrs.Get(file, name) is { } value)
                entry.Xattrs.Add((System.Text.Encoding.UTF8.GetBytes(name), value));
        }
    }

    /// <summary>Null where it is not there any more, or is something else.</summary>
    private SafeFileHandle? TryOpen(byte[] path, int flags)
    {
        var file = _root.TryOpen([.. path, 0], flags, 0, out var errno);
        return file is not null || errno is Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP
            ? file
            : throw Errno.Fault(errno, "openat2", LayerFault.Shown(path));
    }
}
