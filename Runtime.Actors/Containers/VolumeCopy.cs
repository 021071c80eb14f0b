using Runtime.Linux.Files;

namespace Runtime.Actors.Containers;

/// <summary>Fills an image's volume with what the image has in its place, as Docker does.</summary>
internal static class VolumeCopy
{
    /// <param name="target">An empty directory; it gets owner and mode of the image's.</param>
    /// <param name="root">The image's root; nobody else writes to it now.</param>
    /// <param name="hostUid">The host's id of an owner in the image.</param>
    public static void Fill(string target, RootDirectory root, string volume, Func<uint, uint> hostUid, Func<uint, uint> hostGid)
    {
        using var source = root.TryOpenAt(volume, FileConstants.O_RDONLY | FileConstants.O_DIRECTORY);
        if (source is null) return;
        // Resolved once inside of the root, the rest is plain names below: no link is followed from here.
        CopyDirectory(Descriptors.PathOf(source), target, (hostUid, hostGid));
    }

    private static void CopyDirectory(string source, string target, (Func<uint, uint> Uid, Func<uint, uint> Gid) host)
    {
        foreach (var path in Directory.EnumerateFileSystemEntries(source))
        {
            var copy = Path.Combine(target, Path.GetFileName(path));
            var status = FileStatus.Of(path);
            if (status.IsDirectory)
            {
                Directory.CreateDirectory(copy);
                CopyDirectory(path, copy, host);
                continue;
            }
            if (status.IsSymlink) File.CreateSymbolicLink(copy, File.ResolveLinkTarget(path, returnFinalTarget: false) is { } link ? RawTarget(path, link) : "");
            else if (status.IsFile) File.Copy(path, copy);
            else continue; // sockets, FIFOs and devices belong to the process that made them
            Inherit(status, copy, host);
        }
        Inherit(FileStatus.Of(source), target, host);
    }

    private static string RawTarget(string path, FileSystemInfo target) => new FileInfo(path).LinkTarget ?? target.FullName;

    // The owner first: changing it takes setuid bits away.
    private static void Inherit(FileStatus status, string copy, (Func<uint, uint> Uid, Func<uint, uint> Gid) host)
    {
        Inodes.ChangeOwner(copy, host.Uid(status.Uid), host.Gid(status.Gid));
        if (!status.IsSymlink) Inodes.ChangeMode(copy, status.Permissions);
    }
}
