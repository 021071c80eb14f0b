using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Runtime.Linux.Io;

/// <summary>Changes of one file as a descriptor, inotify(7).</summary>
public static partial class FileNotify
{
    private const uint IN_MODIFY = 2;

    /// <summary>Readable, non-blocking, when the file was modified.</summary>
    public static SafeFileHandle Modified(string path)
    {
        var notify = RawIo.Own(inotify_init1(IoCalls.O_CLOEXEC | IoCalls.O_NONBLOCK), "inotify_init1");
        if (inotify_add_watch(notify, path, IN_MODIFY) >= 0)
            return notify;
        var fault = Errno.Fault("inotify_add_watch", path);
        notify.Dispose();
        throw fault;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int inotify_init1(int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int inotify_add_watch(SafeFileHandle notify, string path, uint mask);
}
