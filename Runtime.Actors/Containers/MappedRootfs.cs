using System.Collections.Immutable;
using System.Globalization;
using Runtime.Actors.Ports;
using Runtime.Actors.Sandboxes;
using Runtime.Linux.Files;
using Runtime.Linux.Mounts;

namespace Runtime.Actors.Containers;

/// <summary>
/// The root file system of a container whose pod has a user namespace: the layers stay as they are, and show mapped
/// owners.
/// </summary>
internal static class MappedRootfs
{
    private const uint PassThrough = 0b000_000_001;
    private const uint OwnerAndGroupSearch = 0b111_001_000;

    /// <summary>
    /// The mounts, with the options of containerd's API for id-mapped ones; what mounts them knows how.
    /// </summary>
    public static ImmutableArray<MountSpec> Of(ImmutableArray<MountSpec> rootfs, SandboxView sandbox)
    {
        if (sandbox.UserNamespacePath.Length == 0) return rootfs;
        var (uids, gids) = (sandbox.Config.Security.UidMappings[0], sandbox.Config.Security.GidMappings[0]);
        return [.. rootfs.Select(mount => mount with { Options = [.. mount.Options, Option("uidmap", uids), Option("gidmap", gids)] })];
    }

    /// <summary>
    /// Lets the pod's root, who is nobody special on the host, get to the root file system by its path: the OCI runtime
    /// goes
    /// there when it is in the user namespace already. Nothing above it can be listed or read.
    /// </summary>
    public static void Admit(string bundle, DirectoryLayout layout, SandboxView sandbox)
    {
        if (sandbox.UserNamespacePath.Length == 0) return;
        for (var above = Path.GetDirectoryName(bundle)!; above.Length >= layout.State.Length; above = Path.GetDirectoryName(above)!)
        {
            var permissions = FileStatus.Of(above).Permissions;
            if ((permissions & PassThrough) == 0) Inodes.ChangeMode(above, permissions | PassThrough);
        }
        Inodes.ChangeOwner(bundle, 0, sandbox.Config.Security.GidMappings[0].HostId);
        Inodes.ChangeMode(bundle, OwnerAndGroupSearch);
    }

    private static string Option(string name, IdMapping mapping) =>
        string.Create(CultureInfo.InvariantCulture, $"{name}={mapping.ContainerId}:{mapping.HostId}:{mapping.Length}");
}
