using System.Collections.Immutable;
using System.Net.Sockets;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Runtime.Actors;
using Runtime.Actors.Journal;
using Runtime.Actors.Ports;
using Runtime.Actors.Shims;
using Runtime.Api;
using Runtime.Cri;

namespace Runtime.Tests.Support;

/// <summary>The gRPC floors on a unix socket, as the daemon serves them, over any domain.</summary>
public sealed class GrpcServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly TempDirectory _directory;

    private GrpcServer(WebApplication app, TempDirectory directory, string socket, ApiOptions options)
    {
        _app = app;
        _directory = directory;
        Socket = socket;
        Options = options;
        Channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { ConnectCallback = ConnectAsync },
            MaxReceiveMessageSize = ApiOptions.MessageBytesMax,
        });
    }

    public string Socket { get; }

    public ApiOptions Options { get; }

    public GrpcChannel Channel { get; }

    public static async Task<GrpcServer> StartAsync(RuntimeDomain domain, IJournalReader? journal = null)
    {
        var directory = new TempDirectory();
        var options = new ApiOptions
        {
            Directories = new DirectoryLayout(directory["root"], directory["state"]),
            Handlers = new RuntimeHandlers("runc", new Dictionary<string, RuntimeHandler>
            {
                ["runc"] = new() { Name = "runc" },
                ["crun"] = new() { Name = "crun", Options = new RuncOptions { BinaryName = "crun" } },
            }.ToImmutableSortedDictionary()),
        };
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var socket = directory["api.sock"];
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.ListenUnixSocket(socket, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddActordGrpc(domain, options, journal);
        var app = builder.Build();
        app.MapActordGrpc();
        await app.StartAsync();
        return new GrpcServer(app, directory, socket, options);
    }

    /// <summary>Stops serving, as the daemon does on SIGTERM.</summary>
    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Channel.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        _directory.Dispose();
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), cancellation);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
