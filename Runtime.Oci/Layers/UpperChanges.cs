using Microsoft.Win32.SafeHandles;
using Runtime.Linux.Files;

namespace Runtime.Oci.Layers;

/// <summary>
/// Reads the changes of a layer out of an overlayfs upper directory, kernel documentation filesystems/overlayfs: all that is there is new
/// or changed, a character device 0/0 deletes, <c>trusted.overlay.opaque=y</c> hides a directory's lower content.
/// </summary>
internal sealed class UpperChanges
{
    private readonly List<LayerChange> _changes = [];
    private readonly bool _userXattr;
    private readonly ulong _mount;
    private readonly CancellationToken _cancel;
    private bool _isWhole = true;

    private UpperChanges(bool userXattr, ulong mount, CancellationToken cancel) => (_userXattr, _mount, _cancel) = (userXattr, mount, cancel);

    /// <summary>In the order in which they are written; null when the upper directory alone does not tell (redirects, metadata only).</summary>
    public static List<LayerChange>? Find(RootDirectory upper, bool userXattr, CancellationToken cancel)
    {
        var found = new UpperChanges(userXattr, FileStatus.Of(upper.Handle).MountId, cancel);
        found.Walk(upper.Handle, []);
        return found._isWhole ? found._changes : null;
    }

    private void Walk(SafeFileHandle directory, byte[] path)
    {
        foreach (var name in LayerTrees.Names(directory))
        {
            _cancel.ThrowIfCancellationRequested();
            if (!_isWhole)
                return;
            if (LayerTrees.StatusOf(directory, name) is not { } status || LayerTrees.IsLeftOut(status, _mount))
                continue;
            var child = LayerTrees.Join(path, name);
            if (status.IsWhiteout)
                _changes.Add(new(child, null));
            else if (status.IsDirectory)
                WalkDirectory(directory, name, child, status);
            else
                AddFile(directory, name, child, status);
        }
    }

    private void WalkDirectory(SafeFileHandle parent, byte[] name, byte[] path, FileStatus status)
    {
        using var directory = LayerTrees.TryOpenDirectory(parent, name);
        if (directory is null)
            return; // it went while we read
        if (Has(directory, "redirect"))
        {
            _isWhole = false;
            return;
        }
        var isOpaque = Xattrs.Get(directory, Attribute("opaque")) is [(byte)'y'];
        _changes.Add(new(path, status) { IsOpaque = isOpaque });
        Walk(directory, path);
    }

    private void AddFile(SafeFileHandle parent, byte[] name, byte[] path, FileStatus status)
    {
        if (status.IsFile)
        {
            using var file = LayerTrees.TryOpenFile(parent, name);
            if (file is null)
                return;
            if (Has(file, "metacopy") || Has(file, "redirect"))
                _isWhole = false;
        }
        _changes.Add(new(path, status));
    }

    private bool Has(SafeFileHandle file, string attribute) => Xattrs.Get(file, Attribute(attribute)) is not null;

    private string Attribute(string name) => (_userXattr ? "user.overlay." : "trusted.overlay.") + name;
}
