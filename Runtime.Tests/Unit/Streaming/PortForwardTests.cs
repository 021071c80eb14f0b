using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Runtime.Cri.Streaming;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Streaming;

/// <summary>Port-forward through a real connection, to real sockets of this machine.</summary>
public sealed class PortForwardTests
{
    private static readonly TimeSpan Limit = ServerUnderTest.Limit;

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task Bytes_go_both_ways_with_half_closes_to_localhost_of_either_kind(string address)
    {
        await using var service = new TcpService(TcpService.EchoAsync, IPAddress.Parse(address));
        await using var server = await ServerUnderTest.StartAsync();
        await using var client = await ConnectAsync(server.Forward());
        var (data, error) = await OpenAsync(client, service.Port, 1);

        await data.WriteAsync("hello");
        await data.FinishAsync();

        Assert.Equal("hello", await data.ReadTextAsync().WaitAsync(Limit));
        Assert.Equal("", await error.ReadTextAsync().WaitAsync(Limit));
        Assert.False(data.WasReset);
    }

    [Fact]
    public async Task A_port_on_which_nobody_listens_is_told_in_words_and_others_go_on()
    {
        await using var service = new TcpService(TcpService.EchoAsync);
        await using var server = await ServerUnderTest.StartAsync();
        await using var client = await ConnectAsync(server.Forward());
        var (good, _) = await OpenAsync(client, service.Port, 1);
        int free;
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            free = ((IPEndPoint)probe.LocalEndpoint).Port;
        }

        var (bad, error) = await OpenAsync(client, free, 2);

        Assert.Contains($"localhost:{free}", await error.ReadTextAsync().WaitAsync(Limit), StringComparison.Ordinal);
        Assert.Empty(await bad.ReadToEndAsync());
        await AssertEchoesAsync(good);
    }

    [Fact]
    public async Task An_application_that_breaks_off_resets_its_stream_alone()
    {
        await using var service = new TcpService(async socket =>
        {
            var order = new byte[1];
            while (await socket.ReceiveAsync(order) > 0)
            {
                if (order[0] == '!')
                {
                    socket.LingerState = new LingerOption(true, 0);
                    return;
                }
                await socket.SendAsync(order);
            }
        });
        await using var server = await ServerUnderTest.StartAsync();
        await using var client = await ConnectAsync(server.Forward());
        var (good, _) = await OpenAsync(client, service.Port, 1);
        var (bad, error) = await OpenAsync(client, service.Port, 2);

        await bad.WriteAsync("!");

        Assert.Empty(await bad.ReadToEndAsync().WaitAsync(Limit));
        Assert.True(bad.WasReset);
        // Any word here would make clients give up the connection.
        Assert.Equal("", await error.ReadTextAsync().WaitAsync(Limit));
        await AssertEchoesAsync(good);
        Assert.False(client.GoneAway);
    }

    [Fact]
    public async Task A_stream_that_the_client_resets_closes_its_connection_alone()
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var connections = 0;
        await using var service = new TcpService(async socket =>
        {
            var first = Interlocked.Increment(ref connections) == 1;
            try
            {
                await TcpService.EchoAsync(socket);
            }
            catch (SocketException)
            {
            }
            if (first) ended.TrySetResult();
        });
        await using var server = await ServerUnderTest.StartAsync();
        await using var client = await ConnectAsync(server.Forward());
        var (bad, error) = await OpenAsync(client, service.Port, 1);
        await AssertEchoesAsync(bad);
        var (good, _) = await OpenAsync(client, service.Port, 2);
        await AssertEchoesAsync(good);

        await bad.ResetAsync();

        await ended.Task.WaitAsync(Limit);
        Assert.Equal("", await error.ReadTextAsync().WaitAsync(Limit));
        await AssertEchoesAsync(good);
    }

    [Fact]
    public async Task Streams_without_a_request_id_are_paired_by_their_order()
    {
        await using var service = new TcpService(TcpService.EchoAsync);
        await using var server = await ServerUnderTest.StartAsync();
        await using var client = await ConnectAsync(server.Forward());
        var port = ("port", service.Port.ToString(CultureInfo.InvariantCulture));
        await client.OpenAsync("error", port);
        var data = await client.OpenAsync("data", port);

        await AssertEchoesAsync(data);
    }

    [Theory]
    [InlineData("data", "0")]
    [InlineData("data", "65536")]
    [InlineData("data", "-1")]
    [InlineData("data", "http")]
    [InlineData("stdin", "80")]
    public async Task A_stream_of_no_kind_or_port_is_refused(string type, string port)
    {
        await using var server = await ServerUnderTest.StartAsync();
        await using var client = await ConnectAsync(server.Forward());

        Assert.True((await client.OpenAsync(type, ("port", port), ("requestID", "1"))).WasReset);
    }

    [Fact]
    public async Task A_stream_without_its_partner_is_given_up_after_a_while()
    {
        await using var server = await ServerUnderTest.StartAsync();
        await using var client = await ConnectAsync(server.Forward());
        var error = await client.OpenAsync("error", ("port", "80"), ("requestID", "1"));

        server.Clock.Advance(TimeSpan.FromSeconds(30));

        await error.ReadToEndAsync().WaitAsync(Limit);
        Assert.True(error.WasReset);
    }

    [Fact]
    public async Task Many_connections_at_once_lose_nothing()
    {
        var (count, bytes) = StressSize();
        await using var service = new TcpService(TcpService.EchoAsync);
        await using var server = await ServerUnderTest.StartAsync();
        await using var client = await ConnectAsync(server.Forward());

        await Task.WhenAll(Enumerable.Range(0, count).Select(async i =>
        {
            var (data, error) = await OpenAsync(client, service.Port, i);
            var sent = new byte[bytes];
            new Random(i).NextBytes(sent);
            var writing = Task.Run(async () =>
            {
                for (var at = 0; at < bytes; at += 32768) await data.WriteAsync(sent.AsMemory(at, Math.Min(32768, bytes - at)));
                await data.FinishAsync();
            });
            var got = await data.ReadToEndAsync();
            await writing;
            Assert.Equal(SHA256.HashData(sent), SHA256.HashData(got));
            Assert.Empty(await error.ReadToEndAsync());
        })).WaitAsync(TimeSpan.FromMinutes(5));
    }

    [Fact]
    public async Task A_client_that_goes_leaves_no_connection_behind()
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var service = new TcpService(async socket =>
        {
            try
            {
                await TcpService.EchoAsync(socket);
            }
            catch (SocketException)
            {
            }
            ended.TrySetResult();
        });
        await using var server = await ServerUnderTest.StartAsync();
        await using var client = await ConnectAsync(server.Forward());
        var (data, _) = await OpenAsync(client, service.Port, 1);
        await AssertEchoesAsync(data);

        client.Abort();

        await ended.Task.WaitAsync(Limit);
        await server.NoSessionLeftAsync();
    }

    [Fact]
    public async Task Channels_of_a_websocket_begin_with_their_port_and_carry_the_bytes()
    {
        await using var service = new TcpService(TcpService.EchoAsync);
        await using var server = await ServerUnderTest.StartAsync();
        using var socket = await ServerUnderTest.WebSocketAsync(server.Forward(service.Port), "v4.channel.k8s.io");
        foreach (var channel in new byte[] { 0, 1 })
        {
            var first = (await ServerUnderTest.ReadMessageAsync(socket))!;
            Assert.Equal((channel, service.Port), (first[0], BinaryPrimitives.ReadUInt16LittleEndian(first.AsSpan(1))));
        }

        await ServerUnderTest.SendAsync(socket, 0, "hello");

        Assert.Equal("\0hello", Encoding.ASCII.GetString((await ServerUnderTest.ReadMessageAsync(socket))!));
    }

    [Fact]
    public async Task A_websocket_carries_a_whole_spdy_connection()
    {
        await using var service = new TcpService(TcpService.EchoAsync);
        await using var server = await ServerUnderTest.StartAsync();
        using var socket = await TunnelAsync(server.Forward());
        await using var client = SpdyClient.Over(WebSocketStream.Create(socket, WebSocketMessageType.Binary, Limit)).Start();
        var (data, error) = await OpenAsync(client, service.Port, 1);

        await data.WriteAsync("hello");
        await data.FinishAsync();

        Assert.Equal("hello", await data.ReadTextAsync().WaitAsync(Limit));
        Assert.Equal("", await error.ReadTextAsync().WaitAsync(Limit));
    }

    // By hand: the library's client does not take a name with a slash.
    private static async Task<WebSocket> TunnelAsync(string url)
    {
        var target = new Uri(url);
        var tcp = new TcpClient();
        await tcp.ConnectAsync(target.Host, target.Port);
        var stream = tcp.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"GET {target.PathAndQuery} HTTP/1.1\r\nHost: {target.Authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
            $"Sec-WebSocket-Protocol: {RemoteProtocol.TunnelledPortForward}\r\n\r\n"));
        var head = "";
        var one = new byte[1];
        while (!head.EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one) > 0) head += (char)one[0];
        Assert.StartsWith("HTTP/1.1 101 ", head, StringComparison.Ordinal);
        Assert.Contains($"Sec-WebSocket-Protocol: {RemoteProtocol.TunnelledPortForward}\r\n", head, StringComparison.Ordinal);
        // The example of RFC 6455, section 1.3.
        Assert.Contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", head, StringComparison.Ordinal);
        return WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = false });
    }

    private static (int Connections, int Bytes) StressSize() =>
        Environment.GetEnvironmentVariable("ACTORD_STRESS") is { Length: > 0 } ? (500, 4 << 20) : (50, 512 * 1024);

    private static async Task<SpdyClient> ConnectAsync(string url) =>
        (await SpdyClient.ConnectAsync(url, [RemoteProtocol.PortForward])).Start();

    private static async Task<(SpdyClientStream Data, SpdyClientStream Error)> OpenAsync(SpdyClient client, int port, int request)
    {
        (string, string)[] headers =
        [
            ("port", port.ToString(CultureInfo.InvariantCulture)), ("requestID", request.ToString(CultureInfo.InvariantCulture)),
        ];
        var error = await client.OpenAsync("error", headers);
        await error.FinishAsync();
        return (await client.OpenAsync("data", headers), error);
    }

    private static async Task AssertEchoesAsync(SpdyClientStream data)
    {
        await data.WriteAsync("ping");
        Assert.Equal("ping", await data.ReadTextAsync(4).WaitAsync(Limit));
    }
}
