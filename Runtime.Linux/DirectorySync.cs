using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Runtime.Faults;

namespace Runtime.Linux;

/// <summary>Makes a directory's entries durable; .NET opens files only. fsync(2), open(2).</summary>
public static partial class DirectorySync
{
    private const int O_RDONLY = 0;
    private const int O_DIRECTORY = 0x10000;
    private const int O_CLOEXEC = 0x80000;

    /// <summary>Returns once a new, renamed or removed name in <paramref name="directory"/> survives a power loss.</summary>
    /// <exception cref="FaultException">The directory cannot be opened, or the disk failed.</exception>
    public static void Flush(string directory)
    {
        using var handle = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (handle.IsInvalid) throw Errno.Fault("open", directory);
        if (fsync(handle) != 0) throw Errno.Fault("fsync", directory);
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(SafeFileHandle file);
}
