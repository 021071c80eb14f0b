using Runtime.Actors.Ports;

namespace Runtime.Actors.Shims;

/// <summary>How shims are found, started and called.</summary>
public sealed record ShimOptions
{
    public required DirectoryLayout Directories { get; init; }

    /// <summary>Path of the daemon's gRPC socket; shims get it as <c>-address</c>, and it is a part of their socket's name.</summary>
    public required string GrpcAddress { get; init; }

    /// <summary>Path of the socket on which the daemon takes events; empty for <c>GrpcAddress.ttrpc</c>.</summary>
    public string TtrpcAddress { get; init; } = "";

    /// <summary>Directory of the shims' sockets. A socket's path has at most 106 bytes, 64 of which are its name.</summary>
    public string SocketDirectory { get; init; } = "/run/containerd/s";

    /// <summary>Where shims are looked for first: beside the daemon.</summary>
    public string BinaryDirectory { get; init; } = AppContext.BaseDirectory;

    /// <summary>The program with a <c>publish</c> command, for shims that use it; empty for the daemon itself.</summary>
    public string PublishBinary { get; init; } = "";

    /// <summary>Limit of <c>start</c>.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Limit of reaching a shim again. <c>io.containerd.timeout.shim.load</c>.</summary>
    public TimeSpan LoadTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Limit of <c>delete</c>. <c>io.containerd.timeout.shim.cleanup</c>; runc may have to wait for the kernel.</summary>
    public TimeSpan CleanUpTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Limit of calls that only ask. <c>io.containerd.timeout.task.state</c>.</summary>
    public TimeSpan StateTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Limit of calls that run an OCI runtime: sized below the two minutes of a kubelet's request.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(60);
}
