using System.Collections.Immutable;
using Microsoft.Win32.SafeHandles;
using Runtime.Linux;
using Runtime.Linux.Files;
using static Runtime.Linux.Files.FileConstants;

namespace Runtime.Oci.Layers;

/// <summary>
/// What the layers below have at a path, for a layer that is applied to a directory of its own: a parent that the layer leaves out
/// gets the attributes that it has there, or stays the symlink that it is there.
/// </summary>
internal sealed unsafe class LayerParents(ImmutableArray<string> lowers) : IDisposable
{
    private readonly ImmutableArray<RootDirectory> _lowers = [.. lowers.Select(RootDirectory.Open)];

    /// <summary>Owner, mode, times and extended attributes of the topmost directory of that path; else 0755.</summary>
    public void CopyAttributes(SafeFileHandle parent, byte[] name, ReadOnlySpan<byte> path)
    {
        fixed (byte* raw = name)
        {
            if (Find(path) is not { Status.IsDirectory: true } found)
            {
                Check(FileCalls.fchmodat(parent, raw, 0b111_101_101, 0), "fchmodat", path);
                return;
            }
            var (lower, status) = found;
            Check(FileCalls.fchownat(parent, raw, status.Uid, status.Gid, AT_SYMLINK_NOFOLLOW), "fchownat", path);
            using var from = lower.OpenAt(System.Text.Encoding.UTF8.GetString(path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
            var target = $"{Descriptors.MagicLink(parent)}/{System.Text.Encoding.UTF8.GetString(name.AsSpan().TrimEnd((byte)0))}";
            foreach (var attribute in Xattrs.List(from).Where(attribute => !attribute.Contains(".overlay.", StringComparison.Ordinal)))
                Xattrs.Set(target, attribute, Xattrs.Get(from, attribute));
            Check(FileCalls.fchmodat(parent, raw, status.Permissions, 0), "fchmodat", path);
        }
    }

    /// <summary>Makes the symlink that the layers below have at that path; its target, or null where they have none.</summary>
    public byte[]? TryCopyLink(SafeFileHandle parent, byte[] name, ReadOnlySpan<byte> path)
    {
        if (Find(path) is not { Status.IsSymlink: true } found)
            return null;
        using var link = found.Lower.OpenAt(System.Text.Encoding.UTF8.GetString(path), O_PATH | O_NOFOLLOW);
        var target = stackalloc byte[LayerPath.MaxBytes];
        byte[] empty = [0];
        fixed (byte* self = empty, raw = name)
        {
            var length = FileCalls.readlinkat(link, self, target, LayerPath.MaxBytes - 1);
            Check((int)length, "readlinkat", path);
            target[length] = 0;
            Check(FileCalls.symlinkat(target, parent, raw), "symlinkat", path);
            Check(FileCalls.fchownat(parent, raw, found.Status.Uid, found.Status.Gid, AT_SYMLINK_NOFOLLOW), "fchownat", path);
            return new ReadOnlySpan<byte>(target, (int)length).ToArray();
        }
    }

    /// <summary>Copies a regular file of the layers below into this one, as overlayfs does before it links one; nothing if there is none.</summary>
    public void CopyUp(LayerTree tree, LayerPath path)
    {
        if (Find(path.Path) is not { Status.IsFile: true } found)
            return;
        using var from = found.Lower.OpenAt(System.Text.Encoding.UTF8.GetString(path.Path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
        using var to = tree.MakeFile(path);
        var buffer = new byte[64 * 1024];
        for (int count; (count = Descriptors.Read(from, buffer)) > 0;)
            Descriptors.Write(to, buffer.AsSpan(0, count));
        Inodes.ChangeOwner(to, found.Status.Uid, found.Status.Gid);
        foreach (var attribute in Xattrs.List(from).Where(attribute => !attribute.Contains(".overlay.", StringComparison.Ordinal)))
            Xattrs.Set(to, attribute, Xattrs.Get(from, attribute));
        Inodes.ChangeMode(to, found.Status.Permissions);
        Inodes.SetModified(Descriptors.PathOf(to), found.Status.ModifiedSeconds, found.Status.ModifiedNanoseconds);
    }

    public void Dispose()
    {
        foreach (var lower in _lowers)
            lower.Dispose();
    }

    /// <summary>The topmost layer that has the path, unless one above it has deleted it (a whiteout, or an opaque parent).</summary>
    private (RootDirectory Lower, FileStatus Status)? Find(ReadOnlySpan<byte> path)
    {
        var text = System.Text.Encoding.UTF8.GetString(path);
        foreach (var lower in _lowers)
        {
            using var found = lower.TryOpenAt(text, O_PATH | O_NOFOLLOW);
            if (found is not null && FileStatus.Of(found) is var status)
                return status.IsWhiteout ? null : (lower, status);
            if (Hides(lower, text))
                return null;
        }
        return null;
    }

    /// <summary>Whether a parent of the path is deleted, opaque, or no directory in this layer.</summary>
    private static bool Hides(RootDirectory lower, string path)
    {
        for (var slash = path.LastIndexOf('/'); slash > 0; slash = path.LastIndexOf('/', slash - 1))
        {
            using var parent = lower.TryOpenAt(path[..slash], O_PATH | O_NOFOLLOW);
            if (parent is null)
                continue;
            if (!FileStatus.Of(parent).IsDirectory)
                return true;
            var place = Descriptors.PathOf(parent);
            if (Xattrs.Get(place, "trusted.overlay.opaque") is [(byte)'y'] || Xattrs.Get(place, "user.overlay.opaque") is [(byte)'y'])
                return true;
        }
        return false;
    }

    private static void Check(int result, string call, ReadOnlySpan<byte> path)
    {
        if (result < 0)
            throw Errno.Fault(call, LayerFault.Shown(path));
    }
}
