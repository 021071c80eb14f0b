using Runtime.Faults;
using static Runtime.Linux.Files.FileConstants;

namespace Runtime.Linux.Files;

/// <summary>Files and directories that are there whole after a crash, or not at all.</summary>
public static class DurableFiles
{
    private const uint PrivateDirectory = 0b111_000_000;

    /// <summary>
    /// Replaces <paramref name="path"/> atomically: 1. temporary file beside it, 2. fsync, 3. rename, 4. fsync of the directory.
    /// </summary>
    /// <param name="mode">Permission bits, whatever the umask is.</param>
    public static void Write(string path, ReadOnlySpan<byte> content, uint mode = 0b110_000_000)
    {
        var temporary = $"{path}.{Environment.ProcessId}.{Environment.CurrentManagedThreadId}.tmp";
        try
        {
            using (var file = Descriptors.Open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode))
            {
                Inodes.ChangeMode(file, mode);
                Descriptors.Write(file, content, temporary);
                Descriptors.Sync(file, temporary);
            }
            Rename(temporary, path);
        }
        catch (FaultException)
        {
            _ = FileCalls.unlink(temporary);
            throw;
        }
    }

    /// <summary>rename(2), then fsync of the directory that it went to: after this returns, a crash does not undo it.</summary>
    public static void Rename(string from, string to)
    {
        if (FileCalls.rename(from, to) < 0)
            throw Errno.Fault("rename", $"{from} -> {to}");
        SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(to)) ?? "/");
    }

    /// <summary>Makes creations, renames and removals in a directory durable.</summary>
    public static void SyncDirectory(string path)
    {
        using var directory = Descriptors.Open(path, O_RDONLY | O_DIRECTORY);
        Descriptors.Sync(directory, path);
    }

    /// <summary>Makes a directory with its parents, each that is missing with mode 0700. An existing one stays as it is.</summary>
    public static void MakePrivateDirectory(string path)
    {
        var full = Path.GetFullPath(path);
        if (FileCalls.mkdir(full, PrivateDirectory) == 0)
            return;
        var errno = Errno.Last;
        switch (errno)
        {
            case Errno.EEXIST when FileStatus.Of(full, follow: true).IsDirectory:
                return;
            case Errno.ENOENT when Path.GetDirectoryName(full) is { } parent:
                MakePrivateDirectory(parent);
                if (FileCalls.mkdir(full, PrivateDirectory) < 0 && Errno.Last != Errno.EEXIST)
                    throw Errno.Fault("mkdir", full);
                return;
            default:
                throw Errno.Fault(errno, "mkdir", full);
        }
    }
}
