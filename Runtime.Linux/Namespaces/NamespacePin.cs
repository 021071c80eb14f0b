using System.Text;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Linux.Mounts;

namespace Runtime.Linux.Namespaces;

/// <summary>A namespace that lives without a process, because a bind mount of its nsfs file holds it.</summary>
/// <remarks>Every call blocks: not for an actor's thread.</remarks>
public static class NamespacePin
{
    /// <summary>
    /// Makes a namespace and pins it. 1. an empty file at <paramref name="path"/>, 2. on a thread of its own: unshare(2),
    /// <paramref name="initialize"/>, bind mount of /proc/thread-self/ns/KIND. A failure undoes both.
    /// </summary>
    /// <param name="kind">Network, Ipc or Uts.</param>
    /// <param name="path">In a directory of the caller's; the directory is made with mode 0700 where missing.</param>
    /// <param name="initialize">Runs inside of the new namespace before it can be seen, synchronously: <see cref="Loopback.Up()"/>,
    /// <see cref="SetHostname"/>, <see cref="Sysctl.Write(string, string)"/>.</param>
    /// <exception cref="FaultException">AlreadyExists <c>namespace.pinned</c> where the path is a pin already.</exception>
    public static void Create(NamespaceKind kind, string path, Action? initialize = null)
    {
        var name = FileName(kind);
        if (kind is not (NamespaceKind.Network or NamespaceKind.Ipc or NamespaceKind.Uts))
            throw new FaultException(FaultKind.InvalidArgument, "namespace.bad-kind", $"A {kind} namespace cannot be pinned without a process.");
        MakeFile(path);
        try
        {
            OwnThread.Run(() =>
            {
                if (NamespaceCalls.unshare((int)kind) < 0)
                    throw Errno.Fault("unshare", name);
                initialize?.Invoke();
                Mounter.Call($"/proc/thread-self/ns/{name}", path, null, MountFlags.MS_BIND, null);
                return true;
            });
        }
        catch
        {
            Remove(path);
            throw;
        }
    }

    /// <summary>Pins a namespace that some process is in.</summary>
    /// <param name="source"><c>/proc/PID/ns/KIND</c>.</param>
    /// <param name="path">As for <see cref="Create"/>.</param>
    /// <exception cref="FaultException">AlreadyExists <c>namespace.pinned</c> where the path is a pin already.</exception>
    public static void Keep(string source, string path)
    {
        MakeFile(path);
        try
        {
            Mounter.Call(source, path, null, MountFlags.MS_BIND, null);
        }
        catch
        {
            Remove(path);
            throw;
        }
    }

    /// <summary>Whether a namespace is pinned at the path.</summary>
    public static bool IsPinned(string path) => FileSystemStatus.TryOf(path) is { Type: FileSystemStatus.NSFS_MAGIC };

    /// <summary>
    /// Lets go of the namespace: it ends with its last process. Repeatable, and cleans up what a crash left half-made.
    /// </summary>
    /// <returns>Whether there was anything to remove.</returns>
    public static bool Remove(string path)
    {
        var unmounted = Mounter.UnmountAll(path, lazy: true) > 0;
        if (FileCalls.unlink(path) == 0)
            return true;
        return Errno.Last == Errno.ENOENT ? unmounted : throw Errno.Fault("unlink", path);
    }

    /// <summary>Identity of the namespace: the same number as in <c>/proc/PID/ns/KIND</c>.</summary>
    public static ulong Inode(string path) => FileStatus.Of(path, follow: true).Inode;

    /// <summary>Identity of the user namespace that owns the namespace: ioctl_ns(2), NS_GET_USERNS (Linux 4.9).</summary>
    public static ulong OwnerInode(string path)
    {
        using var file = Descriptors.Open(path, FileConstants.O_RDONLY);
        var owner = NamespaceCalls.ioctl(file, NamespaceCalls.NS_GET_USERNS);
        if (owner < 0)
            throw Errno.Fault("ioctl", $"NS_GET_USERNS {path}");
        using var handle = new Microsoft.Win32.SafeHandles.SafeFileHandle(owner, ownsHandle: true);
        return FileStatus.Of(handle).Inode;
    }

    /// <summary>Runs <paramref name="work"/> inside of a namespace on a thread of its own, and waits.</summary>
    /// <param name="path">A pin, or <c>/proc/PID/ns/KIND</c>.</param>
    /// <param name="work">Must be synchronous: what it hands to other threads runs outside. Sockets that it opens stay inside.</param>
    public static T Run<T>(NamespaceKind kind, string path, Func<T> work) => OwnThread.Run(() => Enter(kind, path, work));

    /// <inheritdoc cref="Run{T}"/>
    public static void Run(NamespaceKind kind, string path, Action work) => Run(kind, path, () =>
    {
        work();
        return true;
    });

    /// <summary>As <see cref="Run{T}"/>, without blocking the caller.</summary>
    public static Task<T> RunAsync<T>(NamespaceKind kind, string path, Func<T> work) =>
        OwnThread.RunAsync(() => Enter(kind, path, work));

    /// <summary>Sets the host name of the UTS namespace that the calling thread is in; for <c>initialize</c> of a Uts pin.</summary>
    /// <param name="name">At most 64 bytes (HOST_NAME_MAX).</param>
    public static unsafe void SetHostname(string name)
    {
        var bytes = Encoding.UTF8.GetBytes(name);
        if (bytes.Length is 0 or > 64 || name.Contains('\0'))
            throw new FaultException(
                FaultKind.InvalidArgument, "namespace.bad-hostname", $"The host name '{RawName.Shown(name)}' must have 1 to 64 bytes.");
        fixed (byte* start = bytes)
        {
            if (NamespaceCalls.sethostname(start, (nuint)bytes.Length) < 0)
                throw Errno.Fault("sethostname", name);
        }
    }

    /// <summary>As the files of /proc/PID/ns are called.</summary>
    public static string FileName(NamespaceKind kind) => kind switch
    {
        NamespaceKind.Mount => "mnt",
        NamespaceKind.Cgroup => "cgroup",
        NamespaceKind.Uts => "uts",
        NamespaceKind.Ipc => "ipc",
        NamespaceKind.User => "user",
        NamespaceKind.Pid => "pid",
        NamespaceKind.Network => "net",
        _ => throw new FaultException(FaultKind.InvalidArgument, "namespace.bad-kind", $"{kind} is no kind of namespace."),
    };

    private static void MakeFile(string path)
    {
        if (IsPinned(path))
            throw new FaultException(FaultKind.AlreadyExists, "namespace.pinned", $"A namespace is pinned at {path} already.");
        DurableFiles.MakePrivateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        // A crash between the two steps leaves an empty file: it is taken over.
        Descriptors.Open(path, FileConstants.O_RDONLY | FileConstants.O_CREAT | FileConstants.O_NOFOLLOW, 0b100_100_100).Dispose();
    }

    private static T Enter<T>(NamespaceKind kind, string path, Func<T> work)
    {
        using var file = Descriptors.Open(path, FileConstants.O_RDONLY);
        // setns(2): a thread that shares its working directory with others cannot change its mount namespace.
        if (kind == NamespaceKind.Mount && NamespaceCalls.unshare(NamespaceCalls.CLONE_FS) < 0)
            throw Errno.Fault("unshare", "CLONE_FS");
        if (NamespaceCalls.setns(file, (int)kind) < 0)
            throw Errno.Fault("setns", path);
        return work();
    }
}
