using System.Collections.Immutable;
using Runtime.Actors.Images;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Ports;
using Runtime.Actors.Sandboxes;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Linux.Mounts;

namespace Runtime.Actors.Containers;

/// <summary>
/// Images as volumes: read-only, each mounted once for a pod, until it stops. Those of containers from earlier releases are in
/// the container's bundle, and go with it.
/// </summary>
internal static class ImageVolumes
{
    /// <summary>What the kubelet knows such a failure by: the message must start with it.</summary>
    private const string Prefix = "ImageVolumeMountFailed: ";

    private static readonly Lock Mounting = new();

    /// <summary>Which images the mounts name; each must have been pulled.</summary>
    public static ImmutableArray<ImageVolume> Of(ContainerConfig config, NamespaceName space, IImageCatalog images) =>
    [
        .. config.Mounts.Select(mount => mount.Image).Where(image => image.Length > 0).Distinct().Select(image =>
            images.Find(space, image) is { } found
                ? new ImageVolume(image, found.ChainId, found.Snapshotter)
                : throw new FaultException(FaultKind.NotFound, "container.image-volume",
                    $"{Prefix}container {config.Name}: image \"{image}\" is not found: it must be pulled first.")),
    ];

    public static RuntimeFault Failure(string image, RuntimeFault fault) =>
        fault.Message.StartsWith(Prefix, StringComparison.Ordinal)
        ? fault
        : fault with { Message = $"{Prefix}{image}: {fault.Message}" };

    /// <summary>Mounts them, in a pod with a user namespace with mapped owners. Where they are, by image.</summary>
    public static ImmutableDictionary<string, string> Mount(
        ContainerPlan plan, string bundle, SandboxView sandbox, ImmutableArray<ImmutableArray<MountSpec>> views, DirectoryLayout layout)
    {
        var places = ImmutableDictionary.CreateBuilder<string, string>();
        for (var i = 0; i < views.Length; i++)
        {
            var (image, chainId, _) = plan.ImageVolumes[i];
            var place = plan.PodVolumes ? PodVolumes.PlaceOf(layout, plan.SandboxId, chainId) : Path.Combine(bundle, "image-volumes", $"{i}");
            try
            {
                // Two containers of the pod may be created at once.
                lock (Mounting) MountOnce(place, views[i], sandbox, layout);
            }
            catch (FaultException failed)
            {
                throw new FaultException(Failure(image, failed.Fault), failed);
            }
            places[image] = place;
        }
        return places.ToImmutable();
    }

    private static void MountOnce(string place, ImmutableArray<MountSpec> view, SandboxView sandbox, DirectoryLayout layout)
    {
        if (MountTable.Read().IsMountPoint(place)) return;
        DurableFiles.MakePrivateDirectory(place);
        MappedRootfs.Admit(place, layout, sandbox);
        Mounter.MountAll([.. MappedRootfs.Of(view, sandbox).Select(mount => mount with { Options = mount.Options.Add("ro") })], place);
    }

    /// <summary>
    /// The directory that is bound into the container. No link of the image leads out of it; nobody can change it
    /// meanwhile.
    /// </summary>
    public static string SourceOf(ContainerMount mount, string place)
    {
        try
        {
            using var root = RootDirectory.Open(place);
            using var directory = root.TryOpenAt(mount.ImageSubPath, FileConstants.O_PATH | FileConstants.O_DIRECTORY)
                ?? throw new FaultException(FaultKind.InvalidArgument, "container.image-volume",
                    $"\"{mount.ImageSubPath}\" is no directory of the image.");
            return Descriptors.PathOf(directory);
        }
        catch (FaultException failed)
        {
            throw new FaultException(Failure(mount.Image, failed.Fault), failed);
        }
    }
}
