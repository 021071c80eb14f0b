using System.Net.Sockets;
using System.Runtime.InteropServices;
using Grpc.Net.Client;
using Runtime.Cri.V1;

namespace Runtime.Bench.Cri;

/// <summary>One CRI socket under test: the connection, the daemon's process, and its shims.</summary>
internal sealed class CriTarget : IDisposable
{
    private readonly GrpcChannel _channel;

    public CriTarget(string name, string socket)
    {
        Name = name;
        Socket = socket;
        DaemonPid = PeerPid(socket);
        _channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { ConnectCallback = async (_, cancellation) => await ConnectAsync(socket, cancellation) },
            DisposeHttpClient = true,
            MaxReceiveMessageSize = 64 << 20,
        });
        Runtime = new RuntimeService.RuntimeServiceClient(_channel);
        Images = new ImageService.ImageServiceClient(_channel);
    }

    public string Name { get; }

    public string Socket { get; }

    public int DaemonPid { get; }

    public RuntimeService.RuntimeServiceClient Runtime { get; }

    public ImageService.ImageServiceClient Images { get; }

    /// <summary>PSS of the daemon, in bytes.</summary>
    public long DaemonPss() => ProcessMemory.Pss(DaemonPid);

    /// <summary>
    /// PSS of all that the daemon keeps beside the workloads: shims (their command line names the daemon's socket) and
    /// what they start by themselves for a pod (a pause process, a pid 1), in bytes.
    /// </summary>
    public long MonitorPss() => ProcessMemory.All()
        .Where(process => process.CommandLine.Contains("containerd-shim", StringComparison.Ordinal) && process.CommandLine.Contains(Socket, StringComparison.Ordinal)
            || IsPodProcess(process))
        .Sum(process => ProcessMemory.Pss(process.Pid));

    public void Dispose() => _channel.Dispose();

    private bool IsPodProcess(ProcessEntry process) =>
        process.CommandLine is "/pause" or "pause" &&
        ProcessMemory.CommandLine(process.ParentPid).Contains(Socket, StringComparison.Ordinal);

    private static async ValueTask<Stream> ConnectAsync(string path, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
        return new NetworkStream(socket, ownsSocket: true);
    }

    // SO_PEERCRED tells who listens: struct ucred { pid, uid, gid }.
    private static int PeerPid(string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(path));
        Span<byte> credentials = stackalloc byte[12];
        socket.GetRawSocketOption(optionLevel: 1, optionName: 17, credentials);
        return MemoryMarshal.Read<int>(credentials);
    }
}
