using Runtime.Actors.Containers;
using Runtime.Actors.Images;

namespace Runtime.Cri.Mapping;

/// <summary>Containers, to CRI.</summary>
internal static partial class ContainerMapping
{
    public static bool IsListed(ContainerView view) => view.Phase is not (ContainerPhase.Creating or ContainerPhase.Removing);

    public static V1.ContainerState StateOf(ContainerView view) => view.Phase switch
    {
        ContainerPhase.Created or ContainerPhase.Starting => V1.ContainerState.ContainerCreated,
        ContainerPhase.Running => V1.ContainerState.ContainerRunning,
        ContainerPhase.Exited => V1.ContainerState.ContainerExited,
        _ => V1.ContainerState.ContainerUnknown,
    };

    public static V1.Container ToItem(ContainerView view)
    {
        var item = new V1.Container
        {
            Id = view.Id,
            PodSandboxId = view.SandboxId,
            Metadata = MetadataOf(view.Config),
            Image = ImageOf(view.Config.Image, view.Config),
            ImageRef = view.ImageId,
            ImageId = view.ImageId,
            State = StateOf(view),
            CreatedAt = WireTime.Nanoseconds(view.CreatedAt),
        };
        item.Labels.Add(view.Config.Labels);
        item.Annotations.Add(view.Config.Annotations);
        return item;
    }

    /// <param name="image">The image now; null when it was removed under the container.</param>
    public static V1.ContainerStatus ToStatus(ContainerView view, ImageSummary? image)
    {
        var state = StateOf(view);
        var isExited = state == V1.ContainerState.ContainerExited;
        var status = new V1.ContainerStatus
        {
            Id = view.Id,
            Metadata = MetadataOf(view.Config),
            State = state,
            CreatedAt = WireTime.Nanoseconds(view.CreatedAt),
            StartedAt = state == V1.ContainerState.ContainerCreated ? 0 : WireTime.Nanoseconds(view.StartedAt),
            FinishedAt = isExited ? WireTime.Nanoseconds(view.FinishedAt) : 0,
            ExitCode = isExited ? view.ExitCode : 0,
            // The kubelet asks by id; people want to read a tag in the pod's status.
            Image = ImageOf(image?.RepoTags is [var tag, ..] ? tag : view.Config.Image, view.Config),
            ImageRef = view.ImageRef,
            ImageId = view.ImageId,
            Reason = view.Reason,
            Message = view.Message,
            LogPath = view.LogPath,
            StopSignal = SignalMapping.ToWire(view.StopSignal),
        };
        status.Labels.Add(view.Config.Labels);
        status.Annotations.Add(view.Config.Annotations);
        status.Mounts.AddRange(view.Config.Mounts.Select(ToWire));
        if (view.Config.Resources is { } resources) status.Resources = new V1.ContainerResources { Linux = ToWire(resources) };
        if (view.User is { } user) status.User = ToWire(user);
        return status;
    }

    public static V1.LinuxContainerResources ToWire(ContainerResources resources)
    {
        var wire = new V1.LinuxContainerResources
        {
            CpuPeriod = resources.CpuPeriod,
            CpuQuota = resources.CpuQuota,
            CpuShares = resources.CpuShares,
            MemoryLimitInBytes = resources.MemoryLimit,
            MemorySwapLimitInBytes = resources.MemorySwapLimit,
            OomScoreAdj = resources.OomScoreAdjust,
            CpusetCpus = resources.CpusetCpus,
            CpusetMems = resources.CpusetMems,
        };
        wire.HugepageLimits.AddRange(
            resources.HugepageLimits.Select(limit => new V1.HugepageLimit { PageSize = limit.Key, Limit = limit.Value }));
        wire.Unified.Add(resources.Unified);
        return wire;
    }

    public static V1.ContainerMetadata MetadataOf(ContainerConfig config) => new() { Name = config.Name, Attempt = config.Attempt };

    private static V1.ImageSpec ImageOf(string image, ContainerConfig config) =>
        new() { Image = image, UserSpecifiedImage = config.UserSpecifiedImage };

    private static V1.Mount ToWire(ContainerMount mount)
    {
        var wire = new V1.Mount
        {
            ContainerPath = mount.ContainerPath,
            HostPath = mount.HostPath,
            Readonly = mount.Readonly,
            RecursiveReadOnly = mount.RecursiveReadonly,
            SelinuxRelabel = mount.SelinuxRelabel,
            Propagation = (V1.MountPropagation)mount.Propagation,
            ImageSubPath = mount.ImageSubPath,
        };
        if (mount.Image.Length > 0) wire.Image = new V1.ImageSpec { Image = mount.Image };
        wire.UidMappings.AddRange(mount.UidMappings.Select(SecurityMapping.ToWire));
        wire.GidMappings.AddRange(mount.GidMappings.Select(SecurityMapping.ToWire));
        return wire;
    }

    private static V1.ContainerUser ToWire(ContainerUser user)
    {
        var linux = new V1.LinuxContainerUser { Uid = user.Uid, Gid = user.Gid };
        linux.SupplementalGroups.AddRange(user.Groups);
        return new V1.ContainerUser { Linux = linux };
    }
}
