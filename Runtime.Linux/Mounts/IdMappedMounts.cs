using System.Globalization;
using Microsoft.Win32.SafeHandles;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Linux.Namespaces;

namespace Runtime.Linux.Mounts;

/// <summary>
/// Mounts that show other owners than the disk has, mount_setattr(2) with MOUNT_ATTR_IDMAP (Linux 5.12; under overlayfs
/// 5.19).
/// They are asked for with the options <c>uidmap=ON-DISK:SHOWN:COUNT</c> and <c>gidmap=</c>, as containerd's API has
/// them.
/// </summary>
internal static class IdMappedMounts
{
    private const string Uids = "uidmap=";
    private const string Gids = "gidmap=";

    private const string Lower = "lowerdir=";
    private const string Upper = "upperdir=";

    public static bool IsAsked(MountOptions options) => options.Data.Any(IsMap);

    /// <summary>
    /// The copy of a directory's mount, with its owners mapped. Attached nowhere.
    /// </summary>
    /// <param name="options">Holds the maps.</param>
    public static SafeFileHandle Copy(string directory, MountOptions options, bool recursive)
    {
        using var users = UserNamespace.Open(RangeOf(options, Uids), RangeOf(options, Gids));
        var tree = MountCalls.OpenTree(directory, recursive ? (uint)FileConstants.AT_RECURSIVE : 0);
        if (tree < 0)
            throw Errno.Fault("open_tree", directory);
        var copy = new SafeFileHandle(tree, ownsHandle: true);
        var attributes = new MountCalls.MountAttributes
        {
            Set = MountCalls.MOUNT_ATTR_IDMAP,
            UserNamespace = (ulong)users.DangerousGetHandle(),
        };
        if (MountCalls.MountSetAttributes(copy, 0, attributes) == 0)
            return copy;
        var errno = Errno.Last;
        copy.Dispose();
        throw errno is Errno.EINVAL or Errno.ENOSYS
            ? new FaultException(FaultKind.FailedPrecondition, "mount.no-idmap",
                $"The owners of {directory} cannot be mapped: its file system, or this kernel, has no id-mapped mounts.")
            : Errno.Fault(errno, "mount_setattr", directory);
    }

    /// <summary>
    /// overlayfs itself cannot be mapped, but stacks mapped lower layers. 1. one mapped copy of the directory that
    /// holds them all,
    /// beside the target, 2. the upper layer's root gets its owner, 3. the overlay of the layers in there, 4. the copy
    /// goes: the
    /// overlay holds its own.
    /// </summary>
    /// <remarks>
    /// The upper layer is not mapped: who mounts is no mapped user, and overlayfs could not make its working directory.
    /// So what is
    /// written has the shown owners on disk too.
    /// </remarks>
    public static void MountOverlay(MountSpec mount, MountOptions options, string target, Action<MountSpec> mountPlain)
    {
        if (mount.Type != "overlay")
            throw new FaultException(FaultKind.InvalidArgument, "mount.no-idmap", $"The owners of {mount.Type} on {target} cannot be mapped.");
        var parent = LongOptions.CommonParent(DirectoriesOf(options.Data));
        var place = Path.GetFullPath(target).TrimEnd('/') + ".layers";
        // Of a try that was interrupted.
        Mounter.UnmountAll(place, lazy: true);
        DurableFiles.MakePrivateDirectory(place);
        try
        {
            using (var copy = Copy(parent, options, recursive: false))
            {
                if (MountCalls.MoveMount(copy, place) < 0)
                    throw Errno.Fault("move_mount", place);
            }
            OwnUpper(options);
            mountPlain(mount with { Options = [.. mount.Options.Where(option => !IsMap(option)).Select(Moved)] });
        }
        finally
        {
            Mounter.UnmountAll(place, lazy: true);
            Directory.Delete(place);
        }

        string Moved(string option) => option.StartsWith(Lower, StringComparison.Ordinal)
            ? Lower + string.Join(':', DirectoriesOf([option]).Select(layer => LongOptions.Escaped($"{place}/{layer[parent.Length..]}")))
            : option;
    }

    /// <summary>The merged root has the upper one's owner. Once something is in there it has been done.</summary>
    private static void OwnUpper(MountOptions options)
    {
        if (options.Data.LastOrDefault(option => option.StartsWith(Upper, StringComparison.Ordinal))?[Upper.Length..] is not { } upper
            || Directory.EnumerateFileSystemEntries(upper).Any())
            return;
        var status = FileStatus.Of(upper);
        Inodes.ChangeOwner(upper, Shown(status.Uid, RangeOf(options, Uids)), Shown(status.Gid, RangeOf(options, Gids)));

        static uint Shown(uint id, IdRange range) =>
            id >= range.Inside && id - range.Inside < range.Count ? range.Outside + (id - range.Inside) : id;
    }

    private static bool IsMap(string option) =>
        option.StartsWith(Uids, StringComparison.Ordinal) || option.StartsWith(Gids, StringComparison.Ordinal);

    private static IReadOnlyList<string> DirectoriesOf(IEnumerable<string> data) =>
        [.. data.Where(option => option.StartsWith(Lower, StringComparison.Ordinal)).SelectMany(option => LongOptions.SplitLower(option[Lower.Length..]))];

    private static IdRange RangeOf(MountOptions options, string key)
    {
        var text = options.Data.LastOrDefault(option => option.StartsWith(key, StringComparison.Ordinal))?[key.Length..] ?? "";
        return text.Split(':') is [var disk, var shown, var count]
            && Number(disk) is { } inside && Number(shown) is { } outside && Number(count) is { } many
            ? new IdRange(inside, outside, many)
            : throw new FaultException(FaultKind.InvalidArgument, "mount.bad-option",
                $"{key}{RawName.Shown(text)}: both uidmap and gidmap must be three numbers, ON-DISK:SHOWN:COUNT.");
    }

    private static uint? Number(string text) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
