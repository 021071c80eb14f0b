using Runtime.Actors.Ports;
using Runtime.Actors.Shims;

namespace Runtime.Api;

/// <summary>What the gRPC floors need to know of the configuration.</summary>
public sealed record ApiOptions
{
    /// <summary>The largest message in either direction, in bytes: what containerd and the kubelet use.</summary>
    public const int MessageBytesMax = 16 * 1024 * 1024;

    /// <summary>What the kubelet shows as the scheme of container ids.</summary>
    public const string RuntimeName = "actord";

    public required DirectoryLayout Directories { get; init; }

    public required RuntimeHandlers Handlers { get; init; }

    /// <summary>Semantic version, without a leading v.</summary>
    public string Version { get; init; } = "0.1.0";

    /// <summary>The commit that the daemon was built from; empty where the build did not say.</summary>
    public string Revision { get; init; } = "";

    /// <summary>Reference of the pause image, as configured; shown as the image of sandboxes.</summary>
    public string SandboxImage { get; init; } = "registry.k8s.io/pause:3.10";

    /// <summary>Snapshotter of handlers that name none.</summary>
    public string Snapshotter { get; init; } = "overlayfs";

    /// <summary>True: the systemd cgroup driver. False: cgroupfs.</summary>
    public bool SystemdCgroup { get; init; }

    /// <summary>The CRI configuration as a JSON object, for verbose status; the directories are added to it.</summary>
    public string ConfigJson { get; init; } = "{}";

    /// <summary>What the OCI runtime of each handler can do.</summary>
    public IHandlerFeatures Features { get; init; } = HandlerFeatures.Unknown;

    /// <summary>The daemon's identity, made on the first start: where containerd keeps it.</summary>
    public string ServerIdFile => Path.Combine(Directories.Root, "io.containerd.grpc.v1.introspection", "uuid");
}
