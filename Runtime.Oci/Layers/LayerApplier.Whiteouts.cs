using Microsoft.Win32.SafeHandles;
using Runtime.Linux;
using Runtime.Linux.Files;
using static Runtime.Linux.Files.FileConstants;

namespace Runtime.Oci.Layers;

public sealed unsafe partial class LayerApplier
{
    private static ReadOnlySpan<byte> WhiteoutPrefix => ".wh."u8;

    private static ReadOnlySpan<byte> OpaqueName => ".wh..wh..opq"u8;

    /// <summary>Names that aufs kept for itself; nothing in them is of the image.</summary>
    private static ReadOnlySpan<byte> AufsPrefix => ".wh..wh."u8;

    /// <summary>Whether the entry is a mark about the layers below, and is done.</summary>
    private bool TryWhiteout()
    {
        var name = _path.Base;
        if (!name.StartsWith(WhiteoutPrefix))
            return false;
        if (name.SequenceEqual(OpaqueName))
            Hide(_path.Parent);
        else if (!name.StartsWith(AufsPrefix))
            Delete();
        return true;
    }

    /// <summary>Hides what the layers below have in a directory.</summary>
    private void Hide(ReadOnlySpan<byte> path)
    {
        if (_options.Whiteouts == WhiteoutMode.Overlay)
        {
            MarkOpaque(_tree.Directory(path));
            return;
        }
        if (_tree.TryDirectory(path) is { } directory)
            ClearForeign(directory, path.ToArray());
    }

    /// <summary>Deletes what the layers below have at the name after the prefix.</summary>
    private void Delete()
    {
        var name = _path.Base[WhiteoutPrefix.Length..];
        if (name.IsEmpty || name.SequenceEqual("."u8) || name.SequenceEqual(".."u8))
            throw LayerFault.Malformed($"The whiteout '{LayerFault.Shown(_path.Path)}' names nothing.");
        byte[] victim = _path.Parent.IsEmpty ? name.ToArray() : [.. _path.Parent, (byte)'/', .. name];
        _target.Set(victim, "whiteout");
        if (!_own.Contains(KeyOf(_target.Path)))
        {
            if (_options.Whiteouts == WhiteoutMode.Delete)
                _tree.Remove(_target);
            else
                _tree.MakeNode(_target, S_IFCHR, 0);
            return;
        }
        // The layer has something of that name itself: it stays, alone.
        if (_tree.TryDirectory(_target.Parent) is { } parent
            && FileStatus.TryAt(parent, _target.RawBase, AT_SYMLINK_NOFOLLOW) is { IsDirectory: true })
            Hide(_target.Path);
    }

    private void MarkOpaque(SafeFileHandle directory)
    {
        var name = _options.UserXattr ? "user.overlay.opaque\0"u8 : "trusted.overlay.opaque\0"u8;
        fixed (byte* rawName = name, value = "y"u8)
        {
            if (FileCalls.fsetxattr(directory, rawName, value, 1, 0) < 0)
                throw Errno.Fault("fsetxattr", $"{LayerFault.Shown(_path.Path)} overlay.opaque");
        }
    }

    /// <summary>Removes what is not of this layer. The names are read first: removing while reading may skip some.</summary>
    private void ClearForeign(SafeFileHandle directory, byte[] path)
    {
        var names = new List<byte[]>();
        using (var handle = Reopen(directory))
        using (var reader = new DirectoryReader(handle))
        {
            while (reader.Read())
                names.Add(reader.Name[..^1].ToArray());
        }
        foreach (var name in names)
        {
            byte[] child = path.Length == 0 ? name : [.. path, (byte)'/', .. name];
            var at = new LayerPath();
            at.Set(child, "name");
            if (!_own.Contains(KeyOf(child)))
                _tree.Remove(at);
            else if (_tree.TryDirectory(path) is { } parent
                && FileStatus.TryAt(parent, at.RawBase, AT_SYMLINK_NOFOLLOW) is { IsDirectory: true }
                && _tree.TryDirectory(child) is { } below)
                ClearForeign(below, child);
        }
    }

    /// <summary>With a read position of its own.</summary>
    private static SafeFileHandle Reopen(SafeFileHandle directory)
    {
        fixed (byte* self = ".\0"u8)
        {
            var fd = FileCalls.openat(directory, self, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
            return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw Errno.Fault("openat");
        }
    }
}
