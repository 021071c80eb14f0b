using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Runtime.Linux.Mounts;

/// <summary>mount(2) and the mount API of Linux 5.2 (fsopen and its family; no wrappers in older C libraries, hence syscall).</summary>
internal static unsafe partial class MountCalls
{
    public const int MNT_DETACH = 2;
    public const int UMOUNT_NOFOLLOW = 8;
    public const uint FSCONFIG_SET_FLAG = 0;
    public const uint FSCONFIG_SET_STRING = 1;
    public const uint FSCONFIG_CMD_CREATE = 6;
    public const uint FSOPEN_CLOEXEC = 1;
    public const uint FSMOUNT_CLOEXEC = 1;
    public const uint MOVE_MOUNT_F_EMPTY_PATH = 4;

    public const uint OPEN_TREE_CLONE = 1;
    public const uint OPEN_TREE_CLOEXEC = 0x80000;
    public const ulong MOUNT_ATTR_IDMAP = 0x100000;

    // The same on every architecture.
    private const long SYS_open_tree = 428;
    private const long SYS_move_mount = 429;
    private const long SYS_fsopen = 430;
    private const long SYS_fsconfig = 431;
    private const long SYS_fsmount = 432;
    private const long SYS_mount_setattr = 442;

    /// <summary>struct mount_attr, mount_setattr(2).</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct MountAttributes
    {
        public ulong Set;
        public ulong Clear;
        public ulong Propagation;
        public ulong UserNamespace;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int mount(string? source, string target, string? type, ulong flags, string? data);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int umount2(string target, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int chdir(string path);

    public static int FsOpen(string type) => (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);

    public static int FsConfig(SafeFileHandle context, uint command, string? key, string? value) =>
        (int)syscall(SYS_fsconfig, context, command, key, value, 0);

    public static int FsMount(SafeFileHandle context, uint attributes) =>
        (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes);

    public static int MoveMount(SafeFileHandle mount, string target) =>
        (int)syscall(SYS_move_mount, mount, "", Files.FileConstants.AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH);

    /// <summary>A copy of the mount that holds <paramref name="path"/>, from there downwards; nowhere attached.</summary>
    public static int OpenTree(string path, uint flags) =>
        (int)syscall(SYS_open_tree, Files.FileConstants.AT_FDCWD, path, flags | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

    /// <summary>On what a descriptor of <see cref="OpenTree"/> or <see cref="FsMount"/> stands for.</summary>
    public static int MountSetAttributes(SafeFileHandle mount, uint flags, MountAttributes attributes) => (int)syscall(
        SYS_mount_setattr, mount, "", flags | Files.FileConstants.AT_EMPTY_PATH, &attributes, (nuint)sizeof(MountAttributes));

    public static int MountSetAttributes(string path, uint flags, MountAttributes attributes) =>
        (int)syscall(SYS_mount_setattr, Files.FileConstants.AT_FDCWD, path, flags, &attributes, (nuint)sizeof(MountAttributes));

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint syscall(long number, string type, uint flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint syscall(long number, SafeFileHandle context, uint command, string? key, string? value, int auxiliary);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(long number, SafeFileHandle context, uint flags, uint attributes);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint syscall(long number, SafeFileHandle from, string fromPath, int to, string toPath, uint flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint syscall(long number, int dir, string path, uint flags, MountAttributes* attributes, nuint size);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint syscall(long number, int dir, string path, uint flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint syscall(
        long number, SafeFileHandle mount, string path, uint flags, MountAttributes* attributes, nuint size);
}
