using System.Collections.Immutable;
using Runtime.Actors.Images;
using Runtime.Actors.Namespaces;

namespace Runtime.Actors.Containers;

/// <summary>A container as it was accepted: what the request means on this node, for its whole life.</summary>
public sealed record ContainerPlan
{
    public required NamespaceName Space { get; init; }

    public required string Id { get; init; }

    public required string SandboxId { get; init; }

    public required ContainerConfig Config { get; init; }

    /// <summary>Config digest.</summary>
    public required string ImageId { get; init; }

    /// <summary>First repo digest, or the image id.</summary>
    public required string ImageRef { get; init; }

    /// <summary>What the user wrote, else a tag, else the id.</summary>
    public required string ImageName { get; init; }

    /// <summary>The committed snapshot that its root file system starts from.</summary>
    public required string ChainId { get; init; }

    public required string Snapshotter { get; init; }

    public required ImageDefaults Image { get; init; }

    public required string RuntimeHandler { get; init; }

    /// <summary>Absolute; empty for none.</summary>
    public required string LogPath { get; init; }

    /// <summary>Sent first by StopContainer.</summary>
    public required string StopSignal { get; init; }

    /// <summary>Images that are mounted as volumes, each once; none in plans from before there were any.</summary>
    public ImmutableArray<ImageVolume> ImageVolumes { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>They are mounted for the pod, and go with it; false in plans from when each container had its own.</summary>
    public bool PodVolumes { get; init; }

    /// <summary>The key of an image volume's snapshot.</summary>
    public string KeyOf(ImageVolume volume) => PodVolumes
        ? Containers.PodVolumes.KeyOf(SandboxId, volume.ChainId)
        : $"{Id}-volume-{ImageVolumes.IndexOf(volume)}";
}

/// <param name="Image">As the mounts of the config name it.</param>
/// <param name="ChainId">The committed snapshot that is mounted.</param>
public sealed record ImageVolume(string Image, string ChainId, string Snapshotter);
