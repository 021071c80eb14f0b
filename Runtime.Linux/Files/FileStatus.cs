using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using static Runtime.Linux.Files.FileConstants;

namespace Runtime.Linux.Files;

/// <summary>What statx(2) (Linux 4.11) knows of one inode.</summary>
/// <param name="Device">Major number times 2^32 plus minor, of the file system: with <paramref name="Inode"/>, the file's identity.</param>
/// <param name="Mode">Type and permission bits.</param>
/// <param name="Size">Bytes.</param>
/// <param name="AllocatedBytes">What it takes on disk.</param>
/// <param name="ModifiedNanoseconds">Nanoseconds part of the modification time.</param>
/// <param name="MountId">The mount it was reached through, as in mountinfo (Linux 5.8); 0 on older kernels.</param>
/// <param name="DeviceMajor">Of a device node: its own number.</param>
public readonly record struct FileStatus(
    ulong Device, ulong Inode, uint Mode, uint Links, uint Uid, uint Gid, long Size, long AllocatedBytes,
    long ModifiedSeconds, uint ModifiedNanoseconds, ulong MountId, uint DeviceMajor, uint DeviceMinor)
{
    private const int BufferSize = 256;
    private const uint STATX_BASIC_STATS = 0x7ff;
    private const uint STATX_MNT_ID = 0x1000;

    public bool IsDirectory => (Mode & S_IFMT) == S_IFDIR;

    public bool IsFile => (Mode & S_IFMT) == S_IFREG;

    public bool IsSymlink => (Mode & S_IFMT) == S_IFLNK;

    public bool IsCharDevice => (Mode & S_IFMT) == S_IFCHR;

    /// <summary>Overlayfs' mark for a deleted name: a character device 0/0.</summary>
    public bool IsWhiteout => IsCharDevice && DeviceMajor == 0 && DeviceMinor == 0;

    public uint Permissions => Mode & 0xFFF;

    /// <summary>The status of <paramref name="path"/>; a symlink's own unless <paramref name="follow"/>.</summary>
    public static FileStatus Of(string path, bool follow = false) =>
        TryOf(path, follow) ?? throw Errno.Fault(Errno.ENOENT, "statx", path);

    /// <summary>Null where nothing has that path.</summary>
    public static FileStatus? TryOf(string path, bool follow = false) =>
        TryAt(FileCalls.WorkingDirectory, RawName.Of(path), follow ? 0 : AT_SYMLINK_NOFOLLOW);

    public static FileStatus Of(SafeFileHandle file) =>
        TryAt(file, [0], AT_EMPTY_PATH) ?? throw Errno.Fault(Errno.ENOENT, "statx");

    /// <summary>Of an entry of a directory, a symlink's own; null where there is none.</summary>
    public static FileStatus? TryAt(SafeFileHandle directory, string name) =>
        TryAt(directory, RawName.Of(name), AT_SYMLINK_NOFOLLOW);

    internal static unsafe FileStatus? TryAt(SafeFileHandle directory, ReadOnlySpan<byte> name, int flags)
    {
        var buffer = stackalloc byte[BufferSize];
        fixed (byte* path = name)
        {
            if (FileCalls.statx(directory, path, flags | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_MNT_ID, buffer) == 0)
                return Parse(new ReadOnlySpan<byte>(buffer, BufferSize));
        }
        var errno = Errno.Last;
        return errno is Errno.ENOENT or Errno.ENOTDIR ? null : throw Errno.Fault(errno, "statx", RawName.Shown(name));
    }

    /// <summary>
    /// struct statx: mask u32, blksize u32, attributes u64, nlink u32 @16, uid @20, gid @24, mode u16 @28, ino u64 @32, size @40,
    /// blocks @48, attributes_mask @56, atime/btime/ctime/mtime 16 bytes each @64 @80 @96 @112, rdev major/minor @128 @132,
    /// dev major/minor @136 @140, mnt_id u64 @144.
    /// </summary>
    private static FileStatus Parse(ReadOnlySpan<byte> at)
    {
        var hasMountId = (MemoryMarshal.Read<uint>(at) & STATX_MNT_ID) != 0;
        return new(
            (ulong)U32(at, 136) << 32 | U32(at, 140),
            MemoryMarshal.Read<ulong>(at[32..]),
            BinaryPrimitives.ReadUInt16LittleEndian(at[28..]),
            U32(at, 16), U32(at, 20), U32(at, 24),
            MemoryMarshal.Read<long>(at[40..]),
            MemoryMarshal.Read<long>(at[48..]) * 512,
            MemoryMarshal.Read<long>(at[112..]),
            U32(at, 120),
            hasMountId ? MemoryMarshal.Read<ulong>(at[144..]) : 0,
            U32(at, 128), U32(at, 132));
    }

    private static uint U32(ReadOnlySpan<byte> at, int offset) => MemoryMarshal.Read<uint>(at[offset..]);
}
