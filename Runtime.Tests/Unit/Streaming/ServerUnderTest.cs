using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Runtime.Actors.Tasks;
using Runtime.Cri.Streaming;
using Runtime.Faults;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Streaming;

/// <summary>A streaming server on loopback, and what a test does with it. When it is disposed of, no session may be left.</summary>
internal sealed class ServerUnderTest : IAsyncDisposable
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private ServerUnderTest(StreamingServer server, FakeTimeProvider clock) => (Server, Clock) = (server, clock);

    public StreamingServer Server { get; }

    public FakeTimeProvider Clock { get; }

    public static async Task<ServerUnderTest> StartAsync(StreamingOptions? options = null)
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var server = new StreamingServer(options ?? new StreamingOptions(), clock, NullLoggerFactory.Instance);
        await server.StartAsync(TestContext.Current.CancellationToken);
        return new ServerUnderTest(server, clock);
    }

    public string Exec(IProcessSession session, bool stdin = true, bool stdout = true, bool stderr = true, bool terminal = false) =>
        Server.Issue(new CommandTicket(true, stdin, stdout, stderr, terminal, _ => Task.FromResult(session)));

    public string Attach(
        IProcessSession session, bool stdin = true, bool stdout = true, bool stderr = true, bool endsWithStdin = false) =>
        Server.Issue(new CommandTicket(false, stdin, stdout, stderr, false, _ => Task.FromResult(session))
        {
            EndsWithStdin = endsWithStdin,
        });

    public string Refused(RuntimeFault fault) =>
        Server.Issue(new CommandTicket(true, false, true, false, false, _ => throw fault.ToException()));

    /// <summary>Forwards to ports of this machine.</summary>
    public string Forward(params int[] ports) =>
        Server.Issue(new ForwardTicket([.. ports], (port, cancellation) => PodDialer.DialAsync("", port, cancellation)));

    public static async Task<ClientWebSocket> WebSocketAsync(string url, params string[] protocols)
    {
        var socket = new ClientWebSocket();
        foreach (var protocol in protocols) socket.Options.AddSubProtocol(protocol);
        await socket.ConnectAsync(new Uri(url.Replace("http", "ws", StringComparison.Ordinal)), TestContext.Current.CancellationToken);
        return socket;
    }

    /// <summary>Messages until the server closes, by their first byte.</summary>
    public static async Task<Dictionary<int, string>> ReadChannelsAsync(WebSocket socket)
    {
        var channels = new Dictionary<int, string>();
        while (await ReadMessageAsync(socket) is { } message)
            channels[message[0]] = channels.GetValueOrDefault(message[0], "") + Encoding.UTF8.GetString(message.AsSpan(1));
        return channels;
    }

    /// <summary>Null at the end.</summary>
    public static async Task<byte[]?> ReadMessageAsync(WebSocket socket)
    {
        using var message = new MemoryStream();
        var buffer = new byte[8192];
        while (true)
        {
            var piece = await socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken).WaitAsync(Limit);
            if (piece.MessageType == WebSocketMessageType.Close) return null;
            message.Write(buffer, 0, piece.Count);
            if (piece.EndOfMessage) return message.ToArray();
        }
    }

    public static Task SendAsync(WebSocket socket, byte channel, string text) =>
        socket.SendAsync(
            new byte[] { channel }.Concat(Encoding.UTF8.GetBytes(text)).ToArray(), WebSocketMessageType.Binary, true,
            TestContext.Current.CancellationToken);

    public Task NoSessionLeftAsync() => Eventually.True(
        () => Server.Sessions == 0, Limit, () => $"{Server.Sessions} sessions are left");

    public async ValueTask DisposeAsync()
    {
        await NoSessionLeftAsync();
        await Server.StopAsync(CancellationToken.None);
        await Server.DisposeAsync();
    }
}

/// <summary>A TCP server on loopback that serves each connection as the test says.</summary>
internal sealed class TcpService : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _accepting;

    public TcpService(Func<Socket, Task> serve, IPAddress? address = null)
    {
        _listener = new TcpListener(address ?? IPAddress.Loopback, 0);
        _listener.Start(512);
        _accepting = AcceptAsync(serve);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Sends back what comes, and ends when the client has ended.</summary>
    public static async Task EchoAsync(Socket socket)
    {
        var buffer = new byte[65536];
        while (await socket.ReceiveAsync(buffer) is > 0 and var count)
            for (var sent = 0; sent < count;) sent += await socket.SendAsync(buffer.AsMemory(sent, count - sent));
        socket.Shutdown(SocketShutdown.Send);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    private async Task AcceptAsync(Func<Socket, Task> serve)
    {
        while (true)
        {
            var socket = await _listener.AcceptSocketAsync(_stopping.Token);
            _ = ServeAsync(serve, socket);
        }
    }

    private static async Task ServeAsync(Func<Socket, Task> serve, Socket socket)
    {
        using (socket) await serve(socket);
    }
}
