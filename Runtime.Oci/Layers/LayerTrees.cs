using Microsoft.Win32.SafeHandles;
using Runtime.Faults;
using Runtime.Linux;
using Runtime.Linux.Files;
using static Runtime.Linux.Files.FileConstants;

namespace Runtime.Oci.Layers;

/// <summary>How the trees are read that a layer is made of: by descriptors, in the order of names, within one mount.</summary>
internal static unsafe class LayerTrees
{
    /// <summary>Bytes of a path; deeper ones cannot be unpacked again.</summary>
    private const int PathMax = 4096;

    /// <summary>Sorted by bytes, each with its NUL.</summary>
    public static List<byte[]> Names(SafeFileHandle directory)
    {
        var names = new List<byte[]>();
        using (var reader = new DirectoryReader(directory))
        {
            while (reader.Read())
                names.Add(reader.Name.ToArray());
        }
        names.Sort(Compare);
        return names;
    }

    public static int Compare(byte[] one, byte[] other) => one.AsSpan().SequenceCompareTo(other);

    public static FileStatus? StatusOf(SafeFileHandle directory, byte[] name) => FileStatus.TryAt(directory, name, AT_SYMLINK_NOFOLLOW);

    /// <summary>Sockets mean nothing in another place; what is mounted in the tree is not of it.</summary>
    public static bool IsLeftOut(FileStatus status, ulong mount) =>
        (status.Mode & S_IFMT) == S_IFSOCK || status.MountId != 0 && mount != 0 && status.MountId != mount;

    /// <param name="name">With its NUL.</param>
    public static byte[] Join(byte[] path, byte[] name)
    {
        byte[] joined = path.Length == 0 ? name[..^1] : [.. path, (byte)'/', .. name.AsSpan(0, name.Length - 1)];
        return joined.Length < PathMax
            ? joined
            : throw new FaultException(FaultKind.ResourceExhausted, "layer.path-too-long",
                $"The path {LayerFault.Shown(joined)} has more than {PathMax - 1} bytes.");
    }

    public static SafeFileHandle? TryOpenDirectory(SafeFileHandle parent, byte[] name) => TryOpen(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

    public static SafeFileHandle? TryOpenFile(SafeFileHandle parent, byte[] name) => TryOpen(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);

    /// <summary>Null where it is not there any more, or is something else.</summary>
    private static SafeFileHandle? TryOpen(SafeFileHandle parent, byte[] name, int flags)
    {
        fixed (byte* raw = name)
        {
            var fd = FileCalls.openat(parent, raw, flags | O_CLOEXEC, 0);
            if (fd >= 0)
                return new SafeFileHandle(fd, ownsHandle: true);
        }
        var errno = Errno.Last;
        return errno is Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP ? null : throw Errno.Fault(errno, "openat", LayerFault.Shown(name));
    }
}
