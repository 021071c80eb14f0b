using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Runtime.Cri.Streaming;
using Runtime.Faults;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Streaming;

/// <summary>Where streams are served, and who is not let in.</summary>
public sealed class StreamingServerTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("127.0.0.1", "http://127.0.0.1:")]
    [InlineData("0.0.0.0", "http://127.0.0.1:")]
    [InlineData("::1", "http://[::1]:")]
    [InlineData("::", "http://[::1]:")]
    public async Task Urls_begin_with_an_address_at_which_the_server_answers(string address, string begin)
    {
        await using var server = await ServerUnderTest.StartAsync(new StreamingOptions { Address = address });

        Assert.StartsWith(begin, server.Server.BaseAddress, StringComparison.Ordinal);
        await using var client = await SpdyClient.ConnectAsync($"{server.Server.BaseAddress}/exec/none", []);
        Assert.Equal(404, client.Status);
    }

    [Fact]
    public async Task A_port_of_the_configuration_is_taken_and_one_that_is_in_use_is_refused()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        await using var second = new StreamingServer(new StreamingOptions { Port = port }, TimeProvider.System, NullLoggerFactory.Instance);

        var refused = await Assert.ThrowsAsync<FaultException>(() => second.StartAsync(TestContext.Current.CancellationToken));

        Assert.Equal((FaultKind.Unavailable, "streaming.cannot-listen"), (refused.Fault.Kind, refused.Fault.Code));
        taken.Stop();
        await using var server = await ServerUnderTest.StartAsync(new StreamingOptions { Port = port });
        Assert.Equal($"http://127.0.0.1:{port}", server.Server.BaseAddress);
    }

    [Fact]
    public async Task Tls_uses_the_key_pair_of_the_configuration()
    {
        using var certificate = WritePair("tls");
        await using var server = await ServerUnderTest.StartAsync(Tls("tls.crt", "tls.key"));
        var target = new Uri(server.Server.BaseAddress);
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(target.Host, target.Port, TestContext.Current.CancellationToken);
        await using var tls = new System.Net.Security.SslStream(tcp.GetStream(), false, (_, shown, _, _) =>
            shown!.GetCertHashString(HashAlgorithmName.SHA256) == certificate.GetCertHashString(HashAlgorithmName.SHA256));

        await tls.AuthenticateAsClientAsync("node").WaitAsync(ServerUnderTest.Limit, TestContext.Current.CancellationToken);

        Assert.True(tls.IsAuthenticated);
    }

    [Theory]
    [InlineData("tls.crt", "missing.key")]
    [InlineData("missing.crt", "tls.key")]
    [InlineData("tls.crt", "other.key")]
    [InlineData("tls.key", "tls.key")]
    public async Task A_key_pair_that_is_none_keeps_the_server_from_starting(string certificate, string key)
    {
        WritePair("tls").Dispose();
        WritePair("other").Dispose();
        await using var server = new StreamingServer(Tls(certificate, key), TimeProvider.System, NullLoggerFactory.Instance);

        var refused = await Assert.ThrowsAsync<FaultException>(() => server.StartAsync(TestContext.Current.CancellationToken));

        Assert.Equal((FaultKind.InvalidArgument, "streaming.bad-certificate"), (refused.Fault.Kind, refused.Fault.Code));
    }

    [Fact]
    public async Task A_stream_after_the_last_one_is_refused_and_the_others_go_on()
    {
        await using var server = await ServerUnderTest.StartAsync();
        var process = new FakeSession(stdin: false, stderr: false);
        await using var client = (await SpdyClient.ConnectAsync(
            server.Exec(process, stdin: false, stderr: false), ["v4.channel.k8s.io"])).Start();
        var error = await client.OpenAsync("error");
        await client.OpenAsync("stdout");

        Assert.True((await client.OpenAsync("stderr")).WasReset);
        Assert.True((await client.OpenAsync("stdout")).WasReset);

        process.Exit(0);
        Assert.Contains("Success", await error.ReadTextAsync().WaitAsync(ServerUnderTest.Limit), StringComparison.Ordinal);
    }

    public static TheoryData<string, string> BadMessages => new()
    {
        { "a reserved operation", "8B80" + "00000000" },
        { "a reserved bit", "C281" + "00000000" + "00" },
        { "a control frame in pieces", "0980" + "00000000" },
        { "a long control frame", "89FE0080" + "00000000" },
        { "a piece of no message", "8081" + "00000000" + "00" },
        { "a message inside of another", "0281" + "00000000" + "00" + "8281" + "00000000" + "00" },
        { "a length of 64 bits", "82FF" + "FFFFFFFFFFFFFFFF" + "00000000" },
    };

    [Theory]
    [MemberData(nameof(BadMessages))]
    public async Task A_client_that_does_not_speak_websocket_is_closed_and_its_exec_ended(string what, string hex)
    {
        await using var server = await ServerUnderTest.StartAsync();
        var process = new FakeSession();
        using var tcp = await UpgradeAsync(server.Exec(process), "v5.channel.k8s.io");

        await tcp.GetStream().WriteAsync(Convert.FromHexString(hex), TestContext.Current.CancellationToken);

        await process.Disposed.WaitAsync(ServerUnderTest.Limit, TestContext.Current.CancellationToken);
        Assert.True(process.Disposed.IsCompleted, what);
    }

    [Theory]
    [InlineData("0!!!!")]
    [InlineData("0abc")]
    public async Task A_message_that_is_not_base64_closes_its_connection(string text)
    {
        await using var server = await ServerUnderTest.StartAsync();
        var process = new FakeSession();
        using var tcp = await UpgradeAsync(server.Exec(process), "v4.base64.channel.k8s.io");
        byte[] frame = [0x81, (byte)(0x80 | text.Length), 0, 0, 0, 0, .. Encoding.ASCII.GetBytes(text)];

        await tcp.GetStream().WriteAsync(frame, TestContext.Current.CancellationToken);

        await process.Disposed.WaitAsync(ServerUnderTest.Limit, TestContext.Current.CancellationToken);
    }

    private static async Task<TcpClient> UpgradeAsync(string url, string protocol)
    {
        var target = new Uri(url);
        var tcp = new TcpClient();
        await tcp.ConnectAsync(target.Host, target.Port, TestContext.Current.CancellationToken);
        await tcp.Client.SendAsync(Encoding.ASCII.GetBytes(
            $"GET {target.PathAndQuery} HTTP/1.1\r\nHost: {target.Authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
            $"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n"));
        var head = new byte[12];
        await tcp.GetStream().ReadExactlyAsync(head, TestContext.Current.CancellationToken);
        Assert.Equal("HTTP/1.1 101", Encoding.ASCII.GetString(head));
        return tcp;
    }

    private StreamingOptions Tls(string certificate, string key) =>
        new() { Tls = true, CertificateFile = _directory[certificate], KeyFile = _directory[key] };

    private X509Certificate2 WritePair(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=node", key, HashAlgorithmName.SHA256);
        var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));
        File.WriteAllText(_directory[$"{name}.crt"], certificate.ExportCertificatePem());
        File.WriteAllText(_directory[$"{name}.key"], key.ExportPkcs8PrivateKeyPem());
        return certificate;
    }
}
