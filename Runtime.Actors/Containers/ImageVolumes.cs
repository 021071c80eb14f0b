using System.Collections.Immutable;
using Runtime.Actors.Images;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Sandboxes;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Linux.Mounts;

namespace Runtime.Actors.Containers;

/// <summary>
/// Images as volumes: read-only, each mounted once for a container, in its bundle; what removes the bundle unmounts
/// them.
/// </summary>
internal static class ImageVolumes
{
    /// <summary>What the kubelet knows such a failure by: the message must start with it.</summary>
    private const string Prefix = "ImageVolumeMountFailed: ";

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
        ContainerPlan plan, string bundle, SandboxView sandbox, ImmutableArray<ImmutableArray<MountSpec>> views)
    {
        var places = ImmutableDictionary.CreateBuilder<string, string>();
        for (var i = 0; i < views.Length; i++)
        {
            var (image, place) = (plan.ImageVolumes[i].Image, Path.Combine(bundle, "image-volumes", $"{i}"));
            try
            {
                Mounter.UnmountAll(place, lazy: true); // of a try that was interrupted
                DurableFiles.MakePrivateDirectory(place);
                Mounter.MountAll([.. MappedRootfs.Of(views[i], sandbox).Select(mount => mount with { Options = mount.Options.Add("ro") })], place);
            }
            catch (FaultException failed)
            {
                throw new FaultException(Failure(image, failed.Fault), failed);
            }
            places[image] = place;
        }
        return places.ToImmutable();
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
