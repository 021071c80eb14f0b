using System.CommandLine;
using System.Net.Sockets;
using Actord.V1;
using Grpc.Core;
using Grpc.Net.Client;
using Runtime.Cri.V1;

namespace Runtime.Cli;

/// <summary>The daemon at the other end of the socket: one connection, and the stubs of its services.</summary>
internal sealed class Daemon : IDisposable
{
    private readonly GrpcChannel _channel;
    private readonly double _timeoutSeconds;
    private readonly string _space;

    private Daemon(string address, string space, double timeoutSeconds)
    {
        var path = address.StartsWith("unix://", StringComparison.Ordinal) ? address["unix://".Length..] : address;
        if (!File.Exists(path)) throw new CommandException($"there is no socket at {path}: is actord running?");
        _space = space;
        _timeoutSeconds = timeoutSeconds;
        _channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { ConnectCallback = (_, cancellation) => ConnectAsync(path, cancellation) },
            DisposeHttpClient = true,
            MaxReceiveMessageSize = 16 << 20,
            MaxSendMessageSize = 16 << 20,
        });
        Pods = new RuntimeService.RuntimeServiceClient(_channel);
        CriImages = new ImageService.ImageServiceClient(_channel);
        Images = new Images.ImagesClient(_channel);
        Journal = new Journal.JournalClient(_channel);
        Chaos = new Chaos.ChaosClient(_channel);
    }

    public RuntimeService.RuntimeServiceClient Pods { get; }

    public ImageService.ImageServiceClient CriImages { get; }

    public Images.ImagesClient Images { get; }

    public Journal.JournalClient Journal { get; }

    public Chaos.ChaosClient Chaos { get; }

    public static Daemon Of(ParseResult parsed) => new(
        parsed.GetRequiredValue(GlobalOptions.Address),
        parsed.GetRequiredValue(GlobalOptions.Namespace),
        parsed.GetValue(GlobalOptions.Timeout));

    /// <summary>Headers, deadline and cancellation of one call.</summary>
    public CallOptions Call(CancellationToken cancellation) => new(
        new Metadata { { "containerd-namespace", _space } },
        _timeoutSeconds > 0 ? DateTime.UtcNow.AddSeconds(_timeoutSeconds) : null,
        cancellation);

    public void Dispose() => _channel.Dispose();

    private static async ValueTask<Stream> ConnectAsync(string path, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
