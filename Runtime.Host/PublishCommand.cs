using System.Net.Sockets;
using Containerd.Services.Events.V1;
using Containerd.Types;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;

namespace Runtime.Host;

/// <summary>
/// <c>actord publish --address SOCKET --topic TOPIC --namespace NS</c> with an event (protobuf Any) on standard input: what
/// shims of the older kind call as their publish binary (containerd docs/runtime-v2.md, "Events").
/// </summary>
internal static class PublishCommand
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);

    public static async Task<int> RunAsync(string[] args, Stream input, TextWriter errors)
    {
        if (Value(args, "--address") is not { } address || Value(args, "--topic") is not { } topic || Value(args, "--namespace") is not { } space)
        {
            errors.WriteLine("actord publish: --address, --topic and --namespace are needed");
            return 2;
        }
        var path = address.StartsWith("unix://", StringComparison.Ordinal) ? address["unix://".Length..] : address;
        using var channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { ConnectCallback = (_, cancellation) => ConnectAsync(path, cancellation) },
            DisposeHttpClient = true,
        });
        var envelope = new Envelope
        {
            Timestamp = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow()),
            Namespace = space,
            Topic = topic,
            Event = Any.Parser.ParseFrom(input),
        };
        try
        {
            await new Events.EventsClient(channel).ForwardAsync(
                new ForwardRequest { Envelope = envelope },
                new Metadata { { "containerd-namespace", space } },
                deadline: TimeProvider.System.GetUtcNow().UtcDateTime + Deadline);
            return 0;
        }
        catch (RpcException refused)
        {
            errors.WriteLine($"actord publish: {refused.Status.Detail}");
            return 1;
        }
    }

    private static string? Value(string[] args, string name)
    {
        for (var i = 0; i < args.Length - 1; i++)
            if (args[i] == name || args[i] == name[1..]) return args[i + 1];
        return null;
    }

    private static async ValueTask<Stream> ConnectAsync(string path, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
