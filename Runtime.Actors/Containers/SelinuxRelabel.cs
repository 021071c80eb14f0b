using System.Text;
using Runtime.Faults;
using Runtime.Linux.Files;

namespace Runtime.Actors.Containers;

/// <summary>Gives a volume the container's SELinux label, where the request says so.</summary>
internal static class SelinuxRelabel
{
    private const string Attribute = "security.selinux";

    /// <summary>Relabelling these would take them from the host's own services.</summary>
    private static readonly string[] Refused =
        ["/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/proc", "/root", "/run", "/sbin", "/sys", "/tmp", "/usr", "/var"];

    /// <summary>
    /// A directory with everything in it; no link is followed. A file system without labels is left alone.
    /// </summary>
    /// <exception cref="FaultException">InvalidArgument (<c>container.invalid-relabel</c>): it is a directory of the
    /// system.</exception>
    public static void Apply(string path, string label)
    {
        if (Refused.Contains(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))))
            throw new FaultException(FaultKind.InvalidArgument, "container.invalid-relabel", $"{path} is the system's, and is not relabelled for a container.");
        var value = Encoding.UTF8.GetBytes(label + '\0');
        var pending = new Stack<string>([path]);
        while (pending.TryPop(out var at))
        {
            // What has it already is not written again: a volume of a million files is labelled once.
            if (Xattrs.Get(at, Attribute) is { } present && !present.AsSpan().SequenceEqual(value)) Xattrs.Set(at, Attribute, value);
            if (!FileStatus.Of(at).IsDirectory) continue;
            foreach (var entry in Directory.EnumerateFileSystemEntries(at)) pending.Push(entry);
        }
    }
}
