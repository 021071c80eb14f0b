using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using Runtime.Actors.Devices;
using Runtime.Actors.Sandboxes;
using Runtime.Actors.Shims;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Linux.Mounts;
using Runtime.Linux.Users;
using Runtime.Oci.RuntimeSpec;

namespace Runtime.Actors.Containers;

/// <summary>Reads from the machine what a container's spec depends on. Blocks.</summary>
internal sealed class SpecInspector(ContainerOptions options)
{
    private const long UidMax = int.MaxValue; // above it a sign turns up somewhere (CVE-2024-40635)
    private const int VolumesMax = 256; // each is a copy and a mount; images have one or two
    private const int SeccompBytesMax = 4 * 1024 * 1024;

    /// <summary>By image: a hundred images are more than a node runs at a time; beyond that the cache starts anew.</summary>
    private const int CachedImagesMax = 128;

    private readonly ConcurrentDictionary<string, UserDatabase> _users = new();
    private readonly ConcurrentDictionary<string, OciSpec> _bases = new();
    private readonly CdiRegistry _cdi = new(options.CdiSpecDirs);

    /// <param name="images">Where the image volumes are mounted, by image.</param>
    /// <param name="targetPid">First process of the container whose pid namespace is joined; 0 for none.</param>
    /// <exception cref="FaultException">InvalidArgument, FailedPrecondition: something that is asked for is not there.</exception>
    public SpecFacts Inspect(
        ContainerPlan plan, SandboxView sandbox, RuntimeHandler handler, ImmutableArray<MountSpec> rootfs,
        ImmutableDictionary<string, string> images, uint targetPid)
    {
        var mounts = plan.Config.Mounts.Select(mount => mount.Image.Length > 0
            ? new MountSource(ImageVolumes.SourceOf(mount, images[mount.Image]), "", SourcePropagation.Private)
            : SourceOf(mount)).ToImmutableArray();
        var devices = DevicesOf(plan.Config, handler);
        var seccomp = SeccompOf(plan.Config.Security);
        using var root = new RootfsPeek(rootfs, Path.Combine(options.Directories.Bundle(plan.Space.Value, plan.Id), "rootfs"));
        var user = UserOf(plan, UsersOf(plan.ChainId, root));
        PodUsers.Check(user, plan, sandbox);
        return new SpecFacts
        {
            User = user,
            Mounts = mounts,
            Volumes = VolumesOf(plan, sandbox, root),
            Devices = devices,
            Cdi = options.CdiSpecDirs.IsEmpty ? [] : _cdi.Resolve(ContainerSpecBuilder.CdiDevicesOf(plan.Config)),
            Seccomp = seccomp,
            BlockIo = ResourceClasses.BlockIoOf(plan.Config, sandbox, options.Policy),
            Base = handler.BaseRuntimeSpec.Length > 0 ? _bases.GetOrAdd(handler.BaseRuntimeSpec, ReadBase) : null,
            TargetPid = targetPid,
        };
    }

    /// <summary>CRI's rules: the request's user, else the image's; groups of the image only where they are merged.</summary>
    internal static ContainerUser UserOf(ContainerPlan plan, UserDatabase users)
    {
        var security = plan.Config.Security;
        var user = Find();
        if (security.RunAsGroup is { } group) user = users.WithGroup(user, Checked(group, "group"));
        Checked(user.Uid, "user");
        IEnumerable<long> images = security.GroupsPolicy == SupplementalGroupsPolicy.Merge ? user.AdditionalGids.Select(gid => (long)gid) : [];
        var supplemental = security.SupplementalGroups.Select(gid => (long)Checked(gid, "group"));
        return new ContainerUser(user.Uid, user.Gid, [.. images.Concat(supplemental).Prepend(user.Gid).Distinct()]);

        Linux.Users.ContainerUser Find()
        {
            try
            {
                if (security.RunAsUserName.Length > 0) return users.FindUser(security.RunAsUserName);
                if (security.RunAsUser is { } uid) return users.FindUser(Checked(uid, "user").ToString(CultureInfo.InvariantCulture));
                return users.Resolve(plan.Image.User);
            }
            catch (FaultException unknown) when (unknown.Fault.Kind == FaultKind.NotFound)
            {
                throw new FaultException(FaultKind.InvalidArgument, unknown.Fault.Code, $"Container {plan.Config.Name}: {unknown.Message}", unknown);
            }
        }

        uint Checked(long id, string what) => id is >= 0 and <= UidMax
            ? (uint)id
            : throw new FaultException(FaultKind.InvalidArgument, "container.id-out-of-range",
                $"Container {plan.Config.Name}: {what} id {id} is not between 0 and {UidMax}.");
    }

    private static OciSpec ReadBase(string path) =>
        OciSpecJson.Read(File.ReadAllBytes(path), path);

    // A missing host path is made, as Docker and containerd do; symbolic links are followed once, here.
    private static MountSource SourceOf(ContainerMount mount)
    {
        if (FileStatus.TryOf(mount.HostPath, follow: true) is null) MakeSource(mount);
        using var source = Descriptors.Open(mount.HostPath, FileConstants.O_PATH);
        var path = Descriptors.PathOf(source);
        if (mount.Propagation == MountPropagation.Private) return new MountSource(path, "", SourcePropagation.Private);
        var holder = MountTable.Read().Containing(path);
        var propagation = holder is { IsShared: true } ? SourcePropagation.Shared
            : holder is { MasterGroup: > 0 } ? SourcePropagation.Slave
            : SourcePropagation.Private;
        return new MountSource(path, holder?.MountPoint ?? "", propagation);
    }

    private static void MakeSource(ContainerMount mount)
    {
        try
        {
            Directory.CreateDirectory(mount.HostPath);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new FaultException(FaultKind.InvalidArgument, "container.invalid-mount",
                $"The host path \"{mount.HostPath}\" of {mount.ContainerPath} is not there and cannot be made: {refused.Message}", refused);
        }
    }

    private ImmutableArray<DeviceNode> DevicesOf(ContainerConfig config, RuntimeHandler handler)
    {
        var asked = config.Devices.SelectMany(device => HostDevices.Find(device.HostPath, device.ContainerPath, device.Permissions))
            .Select(node => options.DevicesOfUser ? OfUser(node, config.Security) : node);
        var hosts = config.Security.Privileged && !handler.PrivilegedWithoutHostDevices ? HostDevices.All() : [];
        // What is asked for by name comes before the host's of the same place.
        return [.. asked.Concat(hosts).DistinctBy(node => node.Path)];
    }

    private static DeviceNode OfUser(DeviceNode node, SecurityOptions security) => node with
    {
        Uid = security.RunAsUser is { } uid ? (uint)uid : node.Uid,
        Gid = security.RunAsGroup is { } gid ? (uint)gid : node.Gid,
    };

    private static OciSeccomp? SeccompOf(SecurityOptions security)
    {
        if (security.Privileged || security.Seccomp is not { Kind: SecurityProfileKind.Localhost } profile) return null;
        var path = profile.LocalhostRef.StartsWith("localhost/", StringComparison.Ordinal)
            ? profile.LocalhostRef["localhost/".Length..]
            : profile.LocalhostRef;
        if (!path.StartsWith('/'))
            throw new FaultException(FaultKind.InvalidArgument, "container.invalid-seccomp", $"Seccomp profile \"{path}\" is not an absolute path.");
        using var file = Descriptors.TryOpen(path, FileConstants.O_RDONLY | FileConstants.O_NONBLOCK)
            ?? throw new FaultException(FaultKind.InvalidArgument, "container.no-seccomp", $"Seccomp profile {path} does not exist.");
        return OciSpecJson.ReadSeccomp(Descriptors.ReadToEnd(file, SeccompBytesMax, path), path);
    }

    private UserDatabase UsersOf(string chainId, RootfsPeek root)
    {
        if (_users.TryGetValue(chainId, out var known)) return known;
        if (_users.Count >= CachedImagesMax) _users.Clear();
        return _users[chainId] = UserDatabase.Read(root.Directory);
    }

    private ImmutableSortedDictionary<string, string> VolumesOf(ContainerPlan plan, SandboxView sandbox, RootfsPeek root)
    {
        var volumes = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        if (options.IgnoreImageVolumes) return volumes.ToImmutable();
        var asked = plan.Config.Mounts.Select(mount => ContainerSpecBuilder.Clean(mount.ContainerPath)).ToHashSet();
        var images = plan.Image.Volumes.Select(ContainerSpecBuilder.Clean).Distinct().ToList();
        if (images.Count > VolumesMax || images.Contains("/"))
            throw new FaultException(FaultKind.InvalidArgument, "container.invalid-volume",
                $"Image {plan.ImageName} asks for {images.Count} volumes: there can be {VolumesMax}, and none at its root.");
        foreach (var volume in images.Where(volume => !asked.Contains(volume)).Order(StringComparer.Ordinal))
        {
            var place = Path.Combine(options.Directories.Container(plan.Id), "volumes", volumes.Count.ToString(CultureInfo.InvariantCulture));
            DirectoryTree.Delete(place); // of a try before
            DurableFiles.MakePrivateDirectory(Path.GetDirectoryName(place)!);
            Directory.CreateDirectory(place, (UnixFileMode)0b111_101_101);
            Inodes.ChangeOwner(place, PodUsers.HostUid(sandbox)(0), PodUsers.HostGid(sandbox)(0));
            VolumeCopy.Fill(place, root.Directory, volume, PodUsers.HostUid(sandbox), PodUsers.HostGid(sandbox));
            volumes[volume] = place;
        }
        return volumes.ToImmutable();
    }
}
