using System.Text;
using Microsoft.Win32.SafeHandles;
using Runtime.Faults;
using Runtime.Linux.Namespaces;

namespace Runtime.Linux.Mounts;

/// <summary>
/// Mounts whose options exceed mount(2)'s one page: an image of many layers on overlayfs. With fsconfig(2), one lower directory
/// at a time (<c>lowerdir+</c>, Linux 6.7); else, with lower directories relative to their common parent.
/// </summary>
internal static class LongOptions
{
    /// <summary>fsconfig(2) takes values up to 255 bytes.</summary>
    private const int MaxValue = 255;

    public static void Mount(MountSpec mount, MountOptions options, string target)
    {
        if (mount.Type != "overlay")
            throw new FaultException(
                FaultKind.InvalidArgument, "mount.options-too-long", $"The options of {mount.Type} on {target} exceed one page.");
        if (!TryFsConfig(mount, options, target))
            MountRelative(mount, options, target);
    }

    /// <summary>False where this kernel or these paths do not allow it.</summary>
    private static bool TryFsConfig(MountSpec mount, MountOptions options, string target)
    {
        if ((options.Flags & ~MountFlags.MS_RDONLY) != 0)
            return false;
        var settings = options.Data.SelectMany(Settings).ToList();
        if (settings.Any(setting => Encoding.UTF8.GetByteCount(setting.Value ?? "") > MaxValue))
            return false;
        var fd = MountCalls.FsOpen("overlay");
        if (fd < 0)
            return Errno.Last == Errno.ENOSYS ? false : throw Errno.Fault("fsopen", "overlay");
        using var context = new SafeFileHandle(fd, ownsHandle: true);
        foreach (var (key, value) in settings.Prepend(("source", mount.Source)))
        {
            if (MountCalls.FsConfig(context, value is null ? MountCalls.FSCONFIG_SET_FLAG : MountCalls.FSCONFIG_SET_STRING, key, value) >= 0)
                continue;
            if (key == "lowerdir+" && Errno.Last == Errno.EINVAL)
                return false;
            throw Errno.Fault("fsconfig", $"{key}={value}");
        }
        if (MountCalls.FsConfig(context, MountCalls.FSCONFIG_CMD_CREATE, null, null) < 0)
            throw Mounter.Failure(Errno.Last, mount.Source, target, mount.Type, options.DataString);
        // MOUNT_ATTR_RDONLY is MS_RDONLY.
        var mounted = MountCalls.FsMount(context, (uint)options.Flags);
        if (mounted < 0)
            throw Errno.Fault("fsmount", target);
        using var detached = new SafeFileHandle(mounted, ownsHandle: true);
        if (MountCalls.MoveMount(detached, target) < 0)
            throw Errno.Fault("move_mount", target);
        return true;
    }

    private static IEnumerable<(string Key, string? Value)> Settings(string option)
    {
        var equals = option.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0)
            return [(option, null)];
        var (key, value) = (option[..equals], option[(equals + 1)..]);
        return key == "lowerdir" ? SplitLower(value).Select(lower => ("lowerdir+", (string?)lower)) : [(key, value)];
    }

    /// <summary>At colons that no backslash escapes; the escapes are resolved.</summary>
    internal static IReadOnlyList<string> SplitLower(string value)
    {
        var (parts, part) = (new List<string>(), new StringBuilder());
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] == '\\' && i + 1 < value.Length)
            {
                part.Append(value[++i]);
            }
            else if (value[i] == ':')
            {
                parts.Add(part.ToString());
                part.Clear();
            }
            else
            {
                part.Append(value[i]);
            }
        }
        parts.Add(part.ToString());
        return parts;
    }

    /// <summary>The working directory is changed on a thread of its own (unshare CLONE_FS), which ends afterwards.</summary>
    private static void MountRelative(MountSpec mount, MountOptions options, string target)
    {
        const string prefix = "lowerdir=";
        var lower = options.Data.First(option => option.StartsWith(prefix, StringComparison.Ordinal));
        var directories = SplitLower(lower[prefix.Length..]);
        var parent = CommonParent(directories);
        var relative = prefix + string.Join(':', directories.Select(path => Escaped(path[parent.Length..])));
        var data = string.Join(',', options.Data.Select(option => option == lower ? relative : option));
        if (Encoding.UTF8.GetByteCount(data) > 4095)
            throw new FaultException(
                FaultKind.ResourceExhausted, "mount.options-too-long",
                $"{directories.Count} lower directories of {target} exceed one page of options, and this kernel has no lowerdir+ (Linux 6.7).");
        OwnThread.Run(() =>
        {
            if (NamespaceCalls.unshare(NamespaceCalls.CLONE_FS) < 0)
                throw Errno.Fault("unshare", "CLONE_FS");
            if (MountCalls.chdir(parent) < 0)
                throw Errno.Fault("chdir", parent);
            Mounter.Call(mount.Source, Path.GetFullPath(target), mount.Type, options.Flags, data);
            return true;
        });
    }

    /// <summary>With its final slash.</summary>
    internal static string CommonParent(IReadOnlyList<string> paths)
    {
        var common = paths[0];
        foreach (var path in paths)
        {
            while (!path.StartsWith(common, StringComparison.Ordinal) || !common.EndsWith('/'))
            {
                if (common.Length == 0)
                    throw new FaultException(
                        FaultKind.InvalidArgument, "mount.bad-option", "The lower directories of an overlay must be absolute paths.");
                common = common[..(common.TrimEnd('/').LastIndexOf('/') + 1)];
            }
        }
        return common;
    }

    internal static string Escaped(string path) => path
        .Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace(":", "\\:", StringComparison.Ordinal)
        .Replace(",", "\\,", StringComparison.Ordinal);
}
