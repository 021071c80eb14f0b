using Microsoft.Win32.SafeHandles;
using static Runtime.Linux.Files.FileConstants;

namespace Runtime.Linux.Files;

/// <summary>An exclusive flock(2) on a file; ends with the process, or with Dispose.</summary>
public sealed class FileLock : IDisposable
{
    private const int LOCK_EX = 2;
    private const int LOCK_NB = 4;

    private readonly SafeFileHandle _file;

    private FileLock(SafeFileHandle file) => _file = file;

    /// <summary>Null when another open file holds the lock. The file is created with mode 0600 and stays.</summary>
    public static FileLock? TryAcquire(string path)
    {
        var file = Descriptors.Open(path, O_RDWR | O_CREAT, 0b110_000_000);
        while (FileCalls.flock(file, LOCK_EX | LOCK_NB) < 0)
        {
            var errno = Errno.Last;
            if (errno == Errno.EINTR)
                continue;
            file.Dispose();
            return errno == Errno.EAGAIN ? null : throw Errno.Fault(errno, "flock", path);
        }
        return new(file);
    }

    /// <summary>As <see cref="TryAcquire"/>, but waits for the other one: for locks that are held shortly.</summary>
    public static FileLock Acquire(string path)
    {
        var file = Descriptors.Open(path, O_RDWR | O_CREAT, 0b110_000_000);
        while (FileCalls.flock(file, LOCK_EX) < 0)
        {
            var errno = Errno.Last;
            if (errno == Errno.EINTR)
                continue;
            file.Dispose();
            throw Errno.Fault(errno, "flock", path);
        }
        return new(file);
    }

    public void Dispose() => _file.Dispose();
}
