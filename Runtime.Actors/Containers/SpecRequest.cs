using System.Collections.Immutable;
using Runtime.Actors.Images;
using Runtime.Actors.Ports;
using Runtime.Actors.Sandboxes;
using Runtime.Actors.Shims;
using Runtime.Oci.Cdi;
using Runtime.Oci.RuntimeSpec;

namespace Runtime.Actors.Containers;

/// <summary>Everything that a container's spec is made of; what was read from the machine is in <see cref="Facts"/>.</summary>
public sealed record SpecRequest
{
    public required string Id { get; init; }

    /// <summary>The namespace, for the default cgroup parent.</summary>
    public required string Space { get; init; }

    public required ContainerConfig Config { get; init; }

    public required SandboxView Sandbox { get; init; }

    public required ImageDefaults Image { get; init; }

    /// <summary>For the annotation: what the user wrote, else a name of the image.</summary>
    public string ImageName { get; init; } = "";

    public required RuntimeHandler Handler { get; init; }

    /// <summary>What the handler's OCI runtime can do.</summary>
    public HandlerFeatures Features { get; init; } = HandlerFeatures.None;

    public required DirectoryLayout Layout { get; init; }

    public required HostFacts Host { get; init; }

    public required SpecFacts Facts { get; init; }
}

/// <summary>What <see cref="SpecInspector"/> found on the machine for one container.</summary>
public sealed record SpecFacts
{
    public required ContainerUser User { get; init; }

    /// <summary>In the order of the config's mounts.</summary>
    public ImmutableArray<MountSource> Mounts { get; init; } = [];

    /// <summary>Host directory by the path of the image's volume.</summary>
    public ImmutableSortedDictionary<string, string> Volumes { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Nodes to make in the container, from the config and, for a privileged one, the host.</summary>
    public ImmutableArray<DeviceNode> Devices { get; init; } = [];

    /// <summary>What the CDI devices need, in the order in which it is applied.</summary>
    public ImmutableArray<CdiEdits> Cdi { get; init; } = [];

    /// <summary>Of the class of block I/O; null for none.</summary>
    public OciBlockIo? BlockIo { get; init; }

    /// <summary>The profile of a Localhost seccomp option.</summary>
    public OciSeccomp? Seccomp { get; init; }

    /// <summary>What the handler's spec starts from.</summary>
    public OciSpec? Base { get; init; }

    /// <summary>First process of the container whose pid namespace is joined; 0 for none.</summary>
    public uint TargetPid { get; init; }
}

/// <summary>The source of one mount of the config.</summary>
/// <param name="Path">Without symbolic links.</param>
/// <param name="MountPoint">The mount that holds it.</param>
public sealed record MountSource(string Path, string MountPoint, SourcePropagation Propagation);

public enum SourcePropagation
{
    Private,
    Slave,
    Shared,
}

/// <param name="Type"><c>c</c> or <c>b</c>.</param>
/// <param name="FileMode">Permission bits.</param>
/// <param name="Access">Of <c>r</c>, <c>w</c>, <c>m</c>.</param>
public sealed record DeviceNode(
    string Path, string Type, long Major, long Minor, uint FileMode, uint Uid, uint Gid, string Access);
