using System.Collections.Immutable;
using Runtime.Faults;
using Runtime.Linux.Files;
using static Runtime.Linux.Mounts.MountFlags;

namespace Runtime.Linux.Mounts;

/// <summary>Mounts and unmounts in this process' mount namespace. Every call blocks: not for an actor's thread.</summary>
public static class Mounter
{
    /// <summary>mount(2) takes one page with its NUL, and cuts off silently what is longer.</summary>
    private const int MaxData = 4095;

    /// <summary>Mounts stacked on one place: sized far above what a crash loop leaves, so that unmounting ends.</summary>
    private const int MaxStacked = 1024;

    /// <summary>Flags that a bind mount takes over only by a second, remounting call.</summary>
    private const MountFlags BindSettable =
        MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOSYMFOLLOW | MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME;

    /// <summary>
    /// 1. resolves the target inside of <paramref name="root"/>, 2. mounts, 3. remounts a bind with its flags, 4. sets recursive
    /// flags, 5. sets the propagation. If a later step fails the mount is undone.
    /// </summary>
    /// <param name="root">Directory that the spec's target is relative to; no symlink below it leads out.</param>
    public static void Mount(MountSpec mount, string root)
    {
        var options = MountOptions.Parse(mount.Options);
        var target = Target(mount, root);
        if (options.Flags.HasFlag(MS_REMOUNT))
        {
            Call(mount.Source, target, mount.Type, options.Flags, options.DataString);
            return;
        }
        var isBind = options.Flags.HasFlag(MS_BIND) || mount.Type is "bind" or "rbind";
        if (!isBind && IdMappedMounts.IsAsked(options))
        {
            IdMappedMounts.MountOverlay(mount, options, target, plain => Mount(plain with { Target = "" }, target));
            return;
        }
        if (isBind)
            Bind(mount, options, target);
        else if (options.Data.Sum(option => System.Text.Encoding.UTF8.GetByteCount(option) + 1) - 1 <= MaxData)
            Call(mount.Source, target, mount.Type, options.Flags, options.Data.IsEmpty ? null : options.DataString);
        else
            LongOptions.Mount(mount, options, target);
        try
        {
            if (isBind && ((options.Flags | options.Cleared) & BindSettable) != 0)
                RemountBind(target, options);
            if (options.Recursive != None)
                SetRecursive(target, options.Recursive);
            foreach (var propagation in options.Propagation)
                Call(null, target, null, propagation, null);
        }
        catch (FaultException)
        {
            _ = MountCalls.umount2(target, MountCalls.MNT_DETACH | MountCalls.UMOUNT_NOFOLLOW);
            throw;
        }
    }

    /// <summary>Mounts in order; if one fails, those before it are unmounted again.</summary>
    public static void MountAll(ImmutableArray<MountSpec> mounts, string root)
    {
        for (var done = 0; done < mounts.Length; done++)
        {
            try
            {
                Mount(mounts[done], root);
            }
            catch (FaultException)
            {
                while (--done >= 0)
                    Unmount(Target(mounts[done], root), lazy: true);
                throw;
            }
        }
    }

    /// <summary>Binds a file or directory onto an existing one.</summary>
    public static void Bind(string source, string target, bool recursive = false, bool readOnly = false) => Mount(
        new("bind", source, "", [recursive ? "rbind" : "bind", .. readOnly ? ["ro"] : Array.Empty<string>()]), target);

    /// <summary>The tmpfs of a pod's /dev/shm: nosuid, nodev, noexec.</summary>
    /// <param name="mode">Permission bits of its root; /dev/shm has 1777.</param>
    public static void MountShm(string target, long sizeBytes = 64 * 1024 * 1024, uint mode = 0b001_111_111_111) => Mount(
        new("tmpfs", "shm", "", ["nosuid", "noexec", "nodev", $"mode={Convert.ToString(mode, 8)}", $"size={sizeBytes}"]), target);

    /// <summary>Sets MS_PRIVATE, MS_SLAVE, MS_SHARED or MS_UNBINDABLE, with MS_REC for everything below too.</summary>
    public static void SetPropagation(string target, MountFlags propagation) => Call(null, target, null, propagation, null);

    /// <summary>Unmounts what is mounted last at <paramref name="target"/>. A final symlink is not followed.</summary>
    /// <param name="lazy">Detaches a busy one at once and lets go of it when its last user is gone (MNT_DETACH).</param>
    /// <returns>Whether there was a mount. A target that is missing has none.</returns>
    public static bool Unmount(string target, bool lazy = false)
    {
        if (MountCalls.umount2(target, MountCalls.UMOUNT_NOFOLLOW | (lazy ? MountCalls.MNT_DETACH : 0)) == 0)
            return true;
        var errno = Errno.Last;
        // EINVAL: not a mount point. ENOENT, ENOTDIR: nothing there to be one.
        return errno is Errno.EINVAL or Errno.ENOENT or Errno.ENOTDIR ? false : throw Errno.Fault(errno, "umount2", target);
    }

    /// <summary>Unmounts everything stacked at <paramref name="target"/>; the number of mounts that were there.</summary>
    public static int UnmountAll(string target, bool lazy = false)
    {
        for (var count = 0; ; count++)
        {
            if (!Unmount(target, lazy))
                return count;
            if (count == MaxStacked)
                throw new FaultException(
                    FaultKind.ResourceExhausted, "mount.too-many", $"More than {MaxStacked} mounts are stacked at {target}.");
        }
    }

    /// <summary>Unmounts everything at and below <paramref name="directory"/>, innermost first; the number of mounts.</summary>
    public static int UnmountTree(string directory, bool lazy = false)
    {
        var count = 0;
        foreach (var mount in MountTable.Read().Under(directory).Reverse())
            count += Unmount(mount.MountPoint, lazy) ? 1 : 0;
        return count;
    }

    internal static void Call(string? source, string target, string? type, MountFlags flags, string? data)
    {
        if (MountCalls.mount(source, target, type, (ulong)flags, data) < 0)
            throw Failure(Errno.Last, source, target, type, data);
    }

    internal static FaultException Failure(int errno, string? source, string target, string? type, string? data) =>
        Errno.Fault(errno, "mount", $"{type ?? "bind"} {source} on {target}{(string.IsNullOrEmpty(data) ? "" : $" ({Short(data)})")}");

    private static void Bind(MountSpec mount, MountOptions options, string target)
    {
        var recursive = (options.Flags & MS_REC) | (mount.Type == "rbind" ? MS_REC : None);
        if (!IdMappedMounts.IsAsked(options))
        {
            Call(mount.Source, target, null, MS_BIND | recursive, null);
            return;
        }
        using var copy = IdMappedMounts.Copy(mount.Source, options, recursive != None);
        if (MountCalls.MoveMount(copy, target) < 0)
            throw Errno.Fault("move_mount", target);
    }

    private static string Target(MountSpec mount, string root)
    {
        if (mount.Target.Trim('/').Length == 0)
            return root;
        using var directory = RootDirectory.Open(root);
        return directory.Resolve(mount.Target);
    }

    /// <summary>The kernel drops what a remount does not repeat: so what the source's mount had stays unless an option cleared it.</summary>
    private static void RemountBind(string target, MountOptions options)
    {
        // ST_RDONLY, ST_NOSUID, ST_NODEV, ST_NOEXEC, ST_NOATIME and ST_NODIRATIME have the values of MS_*.
        var inherited = (MountFlags)FileSystemStatus.Of(target).Flags
            & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME) & ~options.Cleared;
        Call(null, target, null, MS_BIND | MS_REMOUNT | inherited | (options.Flags & BindSettable), null);
    }

    /// <summary>MOUNT_ATTR_RDONLY, NOSUID, NODEV and NOEXEC are 1, 2, 4 and 8 as in MS_*; NOSYMFOLLOW is 0x200000.</summary>
    private static void SetRecursive(string target, MountFlags flags)
    {
        var attributes = (ulong)(flags & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC))
            | (flags.HasFlag(MS_NOSYMFOLLOW) ? 0x200000UL : 0);
        if (MountCalls.MountSetAttributes(target, FileConstants.AT_RECURSIVE, new() { Set = attributes }) < 0)
            throw Errno.Fault("mount_setattr", target);
    }

    private static string Short(string data) => data.Length > 500 ? $"{data.AsSpan(0, 500)}..." : data;
}
