namespace Runtime.Linux.Mounts;

/// <summary>One line of mountinfo, proc_pid_mountinfo(5).</summary>
/// <param name="Device"><c>major:minor</c>.</param>
/// <param name="Root">The directory of the file system that is mounted; for a pinned namespace <c>net:[4026532000]</c>.</param>
/// <param name="Options">Per mount, comma-separated.</param>
/// <param name="SharedGroup">Peer group that it propagates to and from; 0 for none.</param>
/// <param name="MasterGroup">Peer group that it only receives from; 0 for none.</param>
/// <param name="SuperOptions">Per file system, comma-separated: an overlay's lowerdir is here.</param>
public sealed record MountEntry(
    int Id, int ParentId, string Device, string Root, string MountPoint, string Options, int SharedGroup, int MasterGroup,
    bool IsUnbindable, string Type, string Source, string SuperOptions)
{
    public bool IsShared => SharedGroup != 0;

    public bool IsReadOnly => Options.Split(',').Contains("ro");
}
