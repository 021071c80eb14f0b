using Runtime.Faults;
using Runtime.Linux.Files;

namespace Runtime.Actors.Containers;

/// <summary>Device nodes of the host.</summary>
internal static class HostDevices
{
    /// <summary>File systems of their own, and what the runtime sets up for each container.</summary>
    private static readonly string[] NotDevices = ["/dev/pts", "/dev/shm", "/dev/fd", "/dev/mqueue", "/dev/.lxc", "/dev/.lxd-mounts", "/dev/.udev", "/dev/console"];

    /// <summary>What a privileged container gets.</summary>
    public static IEnumerable<DeviceNode> All() => Below("/dev", "/dev", "rwm");

    /// <summary>One device, or those of a directory.</summary>
    /// <exception cref="FaultException">InvalidArgument: no device is there.</exception>
    public static IEnumerable<DeviceNode> Find(string hostPath, string containerPath, string permissions)
    {
        var access = permissions.Length > 0 ? permissions : "rwm";
        if (access.Any(letter => !"rwm".Contains(letter)))
            throw Refuse($"Device {hostPath}: permissions \"{permissions}\" are not of r, w and m.");
        var place = containerPath.Length > 0 ? containerPath : hostPath;
        var status = FileStatus.TryOf(hostPath, follow: true) ?? throw Refuse($"Device {hostPath} does not exist.");
        if (status.IsDirectory) return Below(hostPath, place, access);
        return NodeOf(status, place, access) is { } node ? [node] : throw Refuse($"{hostPath} is no device.");
    }

    private static IEnumerable<DeviceNode> Below(string directory, string place, string access)
    {
        foreach (var path in Directory.EnumerateFileSystemEntries(directory).Order(StringComparer.Ordinal))
        {
            if (NotDevices.Contains(path) || FileStatus.TryOf(path) is not { } status) continue;
            var inside = Path.Combine(place, Path.GetFileName(path));
            if (status.IsDirectory)
                foreach (var node in Below(path, inside, access)) yield return node;
            else if (NodeOf(status, inside, access) is { } node)
                yield return node;
        }
    }

    private static DeviceNode? NodeOf(FileStatus status, string place, string access)
    {
        var type = (status.Mode & FileConstants.S_IFMT) switch
        {
            FileConstants.S_IFCHR => "c",
            FileConstants.S_IFBLK => "b",
            _ => "",
        };
        return type.Length > 0
            ? new DeviceNode(place, type, status.DeviceMajor, status.DeviceMinor, status.Permissions, status.Uid, status.Gid, access)
            : null;
    }

    private static FaultException Refuse(string message) => new(FaultKind.InvalidArgument, "container.invalid-device", message);
}
