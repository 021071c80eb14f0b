using System.Collections.Immutable;
using Google.Protobuf.Collections;
using Runtime.Actors.Containers;

namespace Runtime.Cri.Mapping;

/// <summary>Containers, from CRI.</summary>
internal static partial class ContainerMapping
{
    /// <exception cref="Runtime.Faults.FaultException">InvalidArgument, naming the field.</exception>
    public static ContainerConfig FromWire(V1.ContainerConfig? wire)
    {
        var config = RequestCheck.Present(wire, "config");
        var metadata = RequestCheck.Present(config.Metadata, "config.metadata");
        var image = RequestCheck.Present(config.Image, "config.image");
        return new ContainerConfig
        {
            Name = RequestCheck.NotEmpty(metadata.Name, "config.metadata.name"),
            Attempt = metadata.Attempt,
            Image = RequestCheck.NotEmpty(image.Image, "config.image.image"),
            UserSpecifiedImage = RequestCheck.OneLine(image.UserSpecifiedImage, "config.image.user_specified_image"),
            Command = ArgumentsOf(config.Command, "config.command"),
            Args = ArgumentsOf(config.Args, "config.args"),
            WorkingDirectory = RequestCheck.NoNul(config.WorkingDir, "config.working_dir"),
            Environment = [.. config.Envs.Select(FromWire)],
            Mounts = [.. config.Mounts.Select(FromWire)],
            Devices = [.. config.Devices.Select(FromWire)],
            CdiDevices = [.. config.CDIDevices.Select(device => RequestCheck.NotEmpty(device.Name, "config.CDI_devices.name"))],
            Labels = config.Labels.ToImmutableSortedDictionary(),
            Annotations = config.Annotations.ToImmutableSortedDictionary(),
            // Joined to the sandbox's log directory, even if it looks absolute.
            LogPath = RequestCheck.Contained(config.LogPath, "config.log_path").TrimStart('/'),
            Stdin = config.Stdin,
            StdinOnce = config.StdinOnce,
            Tty = config.Tty,
            Resources = FromWire(config.Linux?.Resources),
            Security = SecurityMapping.FromWire(config.Linux?.SecurityContext),
            StopSignal = SignalMapping.FromWire(config.StopSignal),
        };
    }

    public static ContainerResources? FromWire(V1.LinuxContainerResources? resources, string field = "config.linux.resources")
    {
        if (resources is null) return null;
        var hugepages = ImmutableSortedDictionary.CreateBuilder<string, ulong>();
        foreach (var limit in resources.HugepageLimits)
            hugepages[RequestCheck.NotEmpty(limit.PageSize, field + ".hugepage_limits.page_size")] = limit.Limit;
        foreach (var (file, value) in resources.Unified)
        {
            if (RequestCheck.NotEmpty(file, field + ".unified").Contains('/', StringComparison.Ordinal))
                throw RequestCheck.Invalid(field + ".unified", file, "must be a file of the cgroup itself");
            RequestCheck.NoNul(value, field + ".unified");
        }
        return new ContainerResources
        {
            CpuPeriod = RequestCheck.NotNegative(resources.CpuPeriod, field + ".cpu_period"),
            CpuQuota = OrUnlimited(resources.CpuQuota, field + ".cpu_quota"),
            CpuShares = RequestCheck.NotNegative(resources.CpuShares, field + ".cpu_shares"),
            MemoryLimit = OrUnlimited(resources.MemoryLimitInBytes, field + ".memory_limit_in_bytes"),
            MemorySwapLimit = OrUnlimited(resources.MemorySwapLimitInBytes, field + ".memory_swap_limit_in_bytes"),
            OomScoreAdjust = RequestCheck.InRange(resources.OomScoreAdj, -1000, 1000, field + ".oom_score_adj"),
            CpusetCpus = RequestCheck.OneLine(resources.CpusetCpus, field + ".cpuset_cpus"),
            CpusetMems = RequestCheck.OneLine(resources.CpusetMems, field + ".cpuset_mems"),
            HugepageLimits = hugepages.ToImmutable(),
            Unified = resources.Unified.ToImmutableSortedDictionary(),
        };
    }

    // -1 is "no limit" in the kernel's files and in the OCI spec.
    private static long OrUnlimited(long value, string field) => RequestCheck.InRange(value, -1, long.MaxValue, field);

    private static ImmutableArray<string> ArgumentsOf(RepeatedField<string> arguments, string field) =>
        [.. arguments.Select(argument => RequestCheck.NoNul(argument, field))];

    private static KeyValuePair<string, string> FromWire(V1.KeyValue variable)
    {
        const string Field = "config.envs";
        if (variable.Key.Length == 0) throw RequestCheck.Missing(Field + ".key");
        if (variable.Key.Contains('=', StringComparison.Ordinal)) throw RequestCheck.Invalid(Field + ".key", variable.Key, "must not hold =");
        return new(RequestCheck.NoNul(variable.Key, Field + ".key"), RequestCheck.NoNul(variable.Value, Field + ".value"));
    }

    private static ContainerMount FromWire(V1.Mount mount)
    {
        const string Field = "config.mounts";
        if (mount.ContainerPath.Length == 0) throw RequestCheck.Missing(Field + ".container_path");
        var image = mount.Image?.Image ?? "";
        if (image.Length == 0) RequestCheck.AbsolutePath(mount.HostPath, Field + ".host_path");
        else if (mount.HostPath.Length > 0)
            throw RequestCheck.Invalid(Field + ".host_path", mount.HostPath, "must be empty where an image is mounted");
        if (mount.ImageSubPath.StartsWith('/'))
            throw RequestCheck.Invalid(Field + ".image_sub_path", mount.ImageSubPath, "must be relative");
        if (mount.RecursiveReadOnly && !mount.Readonly)
            throw RequestCheck.Invalid(Field + ".recursive_read_only", mount.ContainerPath, "needs readonly");
        if (mount.RecursiveReadOnly && mount.Propagation != V1.MountPropagation.PropagationPrivate)
            throw RequestCheck.Invalid(Field + ".recursive_read_only", mount.ContainerPath, "needs PROPAGATION_PRIVATE");
        return new ContainerMount
        {
            ContainerPath = RequestCheck.NoNul(mount.ContainerPath, Field + ".container_path"),
            HostPath = mount.HostPath,
            Readonly = mount.Readonly,
            RecursiveReadonly = mount.RecursiveReadOnly,
            SelinuxRelabel = mount.SelinuxRelabel,
            Propagation = mount.Propagation switch
            {
                V1.MountPropagation.PropagationPrivate => MountPropagation.Private,
                V1.MountPropagation.PropagationHostToContainer => MountPropagation.HostToContainer,
                V1.MountPropagation.PropagationBidirectional => MountPropagation.Bidirectional,
                _ => throw RequestCheck.UnknownEnum(mount.Propagation, Field + ".propagation"),
            },
            UidMappings = [.. mount.UidMappings.Select(SecurityMapping.FromWire)],
            GidMappings = [.. mount.GidMappings.Select(SecurityMapping.FromWire)],
            Image = RequestCheck.OneLine(image, Field + ".image.image"),
            ImageSubPath = RequestCheck.Contained(mount.ImageSubPath, Field + ".image_sub_path"),
        };
    }

    private static ContainerDevice FromWire(V1.Device device)
    {
        const string Field = "config.devices";
        foreach (var c in device.Permissions)
            if (c is not ('r' or 'w' or 'm')) throw RequestCheck.Invalid(Field + ".permissions", device.Permissions, "must be of r, w and m");
        return new(
            RequestCheck.AbsolutePath(device.ContainerPath, Field + ".container_path"),
            RequestCheck.AbsolutePath(device.HostPath, Field + ".host_path"),
            device.Permissions);
    }
}
