using Microsoft.Win32.SafeHandles;
using Runtime.Linux.Files;
using static Runtime.Linux.Files.FileConstants;

namespace Runtime.Oci.Layers;

/// <summary>
/// Finds what differs between two trees by reading both. Files count as the same when size, owner, mode, capabilities and modification
/// time are; where the time has no fraction of a second, which archives cut off, their content is compared.
/// </summary>
internal sealed class TreeChanges
{
    private const int BufferBytes = 64 * 1024;

    private readonly List<LayerChange> _changes = [];

    // Unchanged files with several names: when another of the names is new, it has to be a link again.
    private readonly Dictionary<(ulong, ulong), List<LayerChange>> _unchangedLinks = [];
    private readonly ulong _lowerMount;
    private readonly ulong _upperMount;
    private readonly CancellationToken _cancel;

    private TreeChanges(ulong lowerMount, ulong upperMount, CancellationToken cancel) =>
        (_lowerMount, _upperMount, _cancel) = (lowerMount, upperMount, cancel);

    /// <summary>In the order in which they are written.</summary>
    /// <param name="lower">Null: there is nothing below, everything is new.</param>
    public static List<LayerChange> Find(RootDirectory? lower, RootDirectory upper, CancellationToken cancel)
    {
        var found = new TreeChanges(
            lower is null ? 0 : FileStatus.Of(lower.Handle).MountId, FileStatus.Of(upper.Handle).MountId, cancel);
        found.Walk(lower?.Handle, upper.Handle, []);
        return found.WithLinks();
    }

    private void Walk(SafeFileHandle? lower, SafeFileHandle upper, byte[] path)
    {
        var below = lower is null ? [] : LayerTrees.Names(lower);
        var here = LayerTrees.Names(upper);
        for (int i = 0, j = 0; i < below.Count || j < here.Count;)
        {
            _cancel.ThrowIfCancellationRequested();
            var order = i == below.Count ? 1 : j == here.Count ? -1 : LayerTrees.Compare(below[i], here[j]);
            if (order < 0)
                Deleted(lower!, below[i++], path);
            else if (order > 0)
                Present(null, null, upper, here[j++], path);
            else
            {
                Present(lower, LayerTrees.StatusOf(lower!, below[i++]), upper, here[j], path);
                j++;
            }
        }
    }

    private void Deleted(SafeFileHandle lower, byte[] name, byte[] path)
    {
        if (LayerTrees.StatusOf(lower, name) is { } status && !LayerTrees.IsLeftOut(status, _lowerMount))
            _changes.Add(new(LayerTrees.Join(path, name), null));
    }

    private void Present(SafeFileHandle? lower, FileStatus? before, SafeFileHandle upper, byte[] name, byte[] path)
    {
        if (LayerTrees.StatusOf(upper, name) is not { } now || LayerTrees.IsLeftOut(now, _upperMount))
            return;
        var change = new LayerChange(LayerTrees.Join(path, name), now);
        if (now.IsDirectory)
            PresentDirectory(lower, before, upper, name, change);
        else if (before is not { } was || !IsSameFile(lower!, was, upper, now, name))
            _changes.Add(change);
        else if (now.Links > 1)
            LinksOf(now).Add(change);
    }

    private void PresentDirectory(SafeFileHandle? lower, FileStatus? before, SafeFileHandle upper, byte[] name, LayerChange change)
    {
        using var here = LayerTrees.TryOpenDirectory(upper, name);
        if (here is null)
            return;
        using var below = before is { IsDirectory: true } ? LayerTrees.TryOpenDirectory(lower!, name) : null;
        if (before is not { } was || below is null || !HaveSameAttributes(was, change.Status!.Value) || !HaveSameXattrs(below, here))
            _changes.Add(change);
        Walk(below, here, change.Path);
    }

    private static bool IsSameFile(SafeFileHandle lower, FileStatus was, SafeFileHandle upper, FileStatus now, byte[] name)
    {
        if (!HaveSameAttributes(was, now))
            return false;
        if (now.IsSymlink)
            return LayerLinks.TargetOf(lower, name).AsSpan().SequenceEqual(LayerLinks.TargetOf(upper, name));
        if (!now.IsFile)
            return was.ModifiedSeconds == now.ModifiedSeconds;
        if (was.Size != now.Size || was.ModifiedSeconds != now.ModifiedSeconds)
            return false;
        var isExact = was.ModifiedNanoseconds != 0 && now.ModifiedNanoseconds != 0;
        if (isExact && was.ModifiedNanoseconds != now.ModifiedNanoseconds)
            return false;
        using var before = LayerTrees.TryOpenFile(lower, name);
        using var after = LayerTrees.TryOpenFile(upper, name);
        return before is not null && after is not null && HaveSameXattrs(before, after) && (isExact || HaveSameContent(before, after));
    }

    private static bool HaveSameAttributes(FileStatus was, FileStatus now) =>
        was.Mode == now.Mode && was.Uid == now.Uid && was.Gid == now.Gid
        && ((now.Mode & S_IFMT) is not (S_IFCHR or S_IFBLK) || (was.DeviceMajor, was.DeviceMinor) == (now.DeviceMajor, now.DeviceMinor));

    private static bool HaveSameXattrs(SafeFileHandle before, SafeFileHandle after)
    {
        var names = LayerXattrs.NamesOf(before);
        return names.SequenceEqual(LayerXattrs.NamesOf(after))
            && names.All(name => Xattrs.Get(before, name).AsSpan().SequenceEqual(Xattrs.Get(after, name)));
    }

    private static bool HaveSameContent(SafeFileHandle before, SafeFileHandle after)
    {
        var (one, other) = (new byte[BufferBytes], new byte[BufferBytes]);
        for (var at = 0L; ;)
        {
            var count = RandomAccess.Read(before, one, at);
            var matching = count == 0 ? RandomAccess.Read(after, other, at) : ReadWhole(after, other.AsSpan(0, count), at);
            if (count != matching || !one.AsSpan(0, count).SequenceEqual(other.AsSpan(0, count)))
                return false;
            if (count == 0)
                return true;
            at += count;
        }
    }

    private static int ReadWhole(SafeFileHandle file, Span<byte> into, long at)
    {
        var done = 0;
        for (int count; done < into.Length && (count = RandomAccess.Read(file, into[done..], at + done)) > 0;)
            done += count;
        return done;
    }

    private List<LayerChange> LinksOf(FileStatus status)
    {
        var key = (status.Device, status.Inode);
        if (!_unchangedLinks.TryGetValue(key, out var links))
            _unchangedLinks[key] = links = [];
        return links;
    }

    /// <summary>Unchanged names of changed inodes join in, in their places.</summary>
    private List<LayerChange> WithLinks()
    {
        var joining = _changes
            .Where(change => change.Status is { IsDirectory: false, Links: > 1 })
            .Select(change => (change.Status!.Value.Device, change.Status.Value.Inode)).Distinct()
            .SelectMany(inode => _unchangedLinks.GetValueOrDefault(inode) ?? []).ToList();
        if (joining.Count == 0)
            return _changes;
        return [.. _changes.Concat(joining).Order(Comparer<LayerChange>.Create((one, other) => ComparePaths(one.Path, other.Path)))];
    }

    /// <summary>A directory comes before what is in it, and that before the directory's next sibling: the slash sorts lowest.</summary>
    private static int ComparePaths(byte[] one, byte[] other)
    {
        var same = one.AsSpan().CommonPrefixLength(other);
        if (same == one.Length || same == other.Length)
            return one.Length - other.Length;
        return one[same] == '/' ? -1 : other[same] == '/' ? 1 : one[same] - other[same];
    }
}
