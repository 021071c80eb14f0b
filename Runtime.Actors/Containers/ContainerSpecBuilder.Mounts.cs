using System.Collections.Immutable;
using Runtime.Faults;
using Runtime.Oci.RuntimeSpec;

namespace Runtime.Actors.Containers;

public static partial class ContainerSpecBuilder
{
    private static readonly ImmutableArray<string> PodFiles = ["hostname", "hosts", "resolv.conf"];

    /// <summary>Defaults, then what the pod gives, volumes of the image and the request's mounts, by depth.</summary>
    private static List<OciMount> MountsOf(SpecRequest request, out string? rootfsPropagation)
    {
        rootfsPropagation = null;
        var asked = new List<OciMount>();
        for (var index = 0; index < request.Config.Mounts.Length; index++)
        {
            var (mount, source) = (request.Config.Mounts[index], request.Facts.Mounts[index]);
            CheckReadonly(mount, request);
            CheckPropagation(mount, source);
            asked.Add(WithMappings(MountOf(mount, source), mount));
            // The container's root must itself pass events on, or the kernel refuses the propagation of what is below.
            if (mount.Propagation == MountPropagation.Bidirectional) rootfsPropagation = "rshared";
            else if (mount.Propagation == MountPropagation.HostToContainer) rootfsPropagation ??= "rslave";
        }
        var taken = asked.Select(mount => Clean(mount.Destination)).ToHashSet();
        var given = request.Facts.Volumes.Select(volume => Bind(volume.Key, volume.Value, "rw")).Concat(PodMounts(request))
            .Where(mount => taken.Add(Clean(mount.Destination)));
        var inner = asked.Concat(given).OrderBy(mount => Depth(mount.Destination)).ToList(); // stable: equals keep their order
        var wholeDev = taken.Contains("/dev");
        var outer = (request.Facts.Base?.Mounts ?? Defaults(request))
            .Where(mount => !taken.Contains(Clean(mount.Destination)))
            .Where(mount => !wholeDev || !mount.Destination.StartsWith("/dev/", StringComparison.Ordinal));
        return [.. outer.Select(mount => OfHost(mount, request)), .. inner];
    }

    private static IEnumerable<OciMount> Defaults(SpecRequest request)
    {
        var access = request.Config.Security.Privileged ? "rw" : "ro";
        var cgroupAccess = request.Handler.CgroupWritable ? "rw" : access;
        yield return Mount("/proc", "proc", "proc", "nosuid", "noexec", "nodev");
        yield return Mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k");
        yield return Mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5");
        yield return Mount("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev");
        yield return Mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", access);
        yield return Mount("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", "relatime", cgroupAccess);
    }

    // They stay writable with a read-only root, as CRI has it: programs write /etc/hosts and /dev/shm.
    private static IEnumerable<OciMount> PodMounts(SpecRequest request)
    {
        var directory = request.Layout.Sandbox(request.Sandbox.Id);
        foreach (var file in PodFiles)
            yield return Bind($"/etc/{file}", Path.Combine(directory, file), "rw");
        var shm = request.Sandbox.IpcNamespacePath.Length > 0 ? Path.Combine(directory, "shm") : "/dev/shm";
        yield return Bind("/dev/shm", shm, "rw");
    }

    private static OciMount MountOf(ContainerMount mount, MountSource source)
    {
        var propagation = mount.Propagation switch
        {
            MountPropagation.Private => "rprivate",
            MountPropagation.HostToContainer => "rslave",
            MountPropagation.Bidirectional => "rshared",
            _ => throw Refuse("container.invalid-propagation", $"Mount {mount.ContainerPath}: propagation {mount.Propagation} is not known."),
        };
        var access = mount.RecursiveReadonly ? "rro" : mount.Readonly || mount.Image.Length > 0 ? "ro" : "rw";
        return Mount(Clean(mount.ContainerPath), "bind", source.Path, "rbind", propagation, access);
    }

    private static void CheckReadonly(ContainerMount mount, SpecRequest request)
    {
        if (!mount.RecursiveReadonly) return;
        if (!mount.Readonly)
            throw Refuse("container.invalid-readonly", $"Mount {mount.ContainerPath}: recursive read-only needs read-only as well.");
        if (mount.Propagation != MountPropagation.Private)
            throw Refuse("container.invalid-readonly", $"Mount {mount.ContainerPath}: recursive read-only needs private propagation.");
        if (!request.Host.RecursiveReadonly || !request.Features.RecursiveReadOnlyMounts) // the prefix is the kubelet's
            throw new FaultException(FaultKind.FailedPrecondition, "container.readonly-unsupported",
                $"RROUnsupported: mount {mount.ContainerPath}: recursive read-only needs kernel 5.12, and an OCI runtime of handler {request.Handler.Name} that knows rro.");
    }

    private static void CheckPropagation(ContainerMount mount, MountSource source)
    {
        var enough = mount.Propagation switch
        {
            MountPropagation.HostToContainer => source.Propagation != SourcePropagation.Private,
            MountPropagation.Bidirectional => source.Propagation == SourcePropagation.Shared,
            _ => true,
        };
        if (enough) return;
        var wanted = mount.Propagation == MountPropagation.Bidirectional ? "a shared mount" : "a shared or slave mount";
        throw new FaultException(FaultKind.FailedPrecondition, "container.mount-not-shared",
            $"path \"{source.Path}\" is mounted on \"{source.MountPoint}\" but it is not {wanted}");
    }

    private static OciMount Bind(string destination, string source, string access) =>
        Mount(destination, "bind", source, "rbind", "rprivate", access);

    private static OciMount Mount(string destination, string type, string source, params ImmutableArray<string> options) =>
        new() { Destination = destination, Type = type, Source = source, Options = options };

    /// <summary>The absolute path in the container that a mount's path means, without a slash at its end.</summary>
    internal static string Clean(string path) => Path.GetFullPath(path, "/") is { Length: > 1 } full ? full.TrimEnd('/') : "/";

    private static int Depth(string path) => Clean(path).Count(letter => letter == '/');
}
