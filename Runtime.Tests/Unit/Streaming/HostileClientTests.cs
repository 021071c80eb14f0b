using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using Runtime.Cri.Streaming;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Streaming;

/// <summary>
/// What no client should send. The answer is a closed connection or a reset stream, and nothing is left of it. The fuzz tests
/// run for seconds; ACTORD_FUZZ_SECONDS makes them longer. A failure names its seed.
/// </summary>
public sealed class HostileClientTests
{
    private static TimeSpan FuzzTime => TimeSpan.FromSeconds(
        double.TryParse(Environment.GetEnvironmentVariable("ACTORD_FUZZ_SECONDS"), CultureInfo.InvariantCulture, out var seconds) ? seconds : 3);

    public static TheoryData<string, string> BadFrames => new()
    {
        { "another version", "80020001" + "00000000" },
        { "a control frame without end", "80030001" + "00FFFFFF" },
        { "a stream without a header block", "80030001" + "0000000A" + "00000001000000000000" },
        { "a stream that is cut off", "80030001" + "00000004" + "00000001" },
        { "a header block that is no zlib", "80030001" + "00000010" + "00000001000000000000" + "DEADBEEF0102" },
        { "a reset that is cut off", "80030003" + "00000004" + "00000001" },
        { "settings that are cut off", "80030004" + "00000004" + "0000FFFF" },
        { "an initial window of 32 bits", "80030004" + "0000000C" + "00000001" + "00000007" + "FFFFFFFF" },
        { "a window beyond 31 bits", "80030009" + "00000008" + "00000000" + "7FFFFFFF" },
    };

    [Theory]
    [MemberData(nameof(BadFrames))]
    public async Task A_client_that_does_not_speak_spdy_is_told_and_closed(string what, string hex)
    {
        await using var server = await ServerUnderTest.StartAsync();
        var process = new FakeSession();
        await using var client = (await SpdyClient.ConnectAsync(server.Exec(process), ["v4.channel.k8s.io"])).Start();

        await client.SendRawAsync(Convert.FromHexString(hex));

        await client.Closed.WaitAsync(ServerUnderTest.Limit, TestContext.Current.CancellationToken);
        Assert.True(client.GoneAway, what);
    }

    [Fact]
    public async Task Data_of_a_stream_that_never_was_is_answered_with_a_reset_and_the_rest_goes_on()
    {
        await using var server = await ServerUnderTest.StartAsync();
        var process = new FakeSession(stdin: false, stderr: false);
        await using var client = (await SpdyClient.ConnectAsync(
            server.Exec(process, stdin: false, stderr: false), ["v4.channel.k8s.io"])).Start();
        await client.SendAsync(SpdyFrame.Data(99, SpdyFlags.None, 100_000), new byte[100_000]);
        await client.SendWordsAsync(77, 1, 2, 3); // a type that nobody knows
        await client.SendWordsAsync(6, 1); // PING
        var error = await client.OpenAsync("error");
        await client.OpenAsync("stdout");

        process.Exit(0);

        Assert.Contains("Success", await error.ReadTextAsync().WaitAsync(ServerUnderTest.Limit), StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_streams_than_anybody_needs_are_refused()
    {
        await using var server = await ServerUnderTest.StartAsync();
        await using var client = (await SpdyClient.ConnectAsync(server.Forward(), [RemoteProtocol.PortForward])).Start();
        var opened = new List<SpdyClientStream>();
        for (var i = 0; i <= SpdyConnection.StreamsMax; i++)
            opened.Add(await client.OpenAsync("error", ("port", "80"), ("requestID", $"{i}")));

        Assert.True(opened[^1].WasReset);
        Assert.DoesNotContain(opened[..^1], stream => stream.WasReset);
    }

    [Fact]
    public async Task Any_bytes_on_a_spdy_connection_end_in_an_io_exception_or_its_end()
    {
        var recorded = await RecordAsync();
        var clock = Stopwatch.StartNew();
        for (var seed = Environment.TickCount; clock.Elapsed < FuzzTime; seed++)
        {
            var random = new Random(seed);
            var bytes = Mutate(recorded, random);
            using var idle = new IdleWatch(new FakeTimeProvider(), TimeSpan.Zero, () => { });
            await using var transport = new ReplayStream(bytes, random);
            using var connection = new SpdyConnection(transport, idle, stream => random.Next(4) == 0 ? null : () => Serve(stream));
            try
            {
                await connection.ReadAsync(CancellationToken.None).WaitAsync(ServerUnderTest.Limit);
            }
            catch (IOException)
            {
            }
            catch (Exception other)
            {
                Assert.Fail($"seed {seed}: {other}");
            }
            Assert.True(connection.StreamCount == 0, $"seed {seed}: streams are left");
        }

        // Takes what comes, and gives up the stream at once or later.
        static void Serve(SpdyStream stream) => _ = Task.Run(async () =>
        {
            try
            {
                await StreamPump.FromClientAsync(stream, Stream.Null, CancellationToken.None);
                await stream.FinishAsync(CancellationToken.None);
            }
            catch (IOException)
            {
                await stream.ResetAsync(CancellationToken.None);
            }
        });
    }

    [Fact]
    public async Task Any_bytes_after_an_upgrade_to_websocket_end_the_session_and_leave_nothing()
    {
        await using var server = await ServerUnderTest.StartAsync();
        string[] protocols = ["v5.channel.k8s.io", "v4.base64.channel.k8s.io", "channel.k8s.io"];
        var clock = Stopwatch.StartNew();
        for (var seed = Environment.TickCount; clock.Elapsed < FuzzTime; seed++)
        {
            var random = new Random(seed);
            var process = new FakeSession();
            var opened = false;
            var url = new Uri(server.Server.Issue(new CommandTicket(true, true, true, true, false, _ =>
            {
                opened = true;
                return Task.FromResult<Runtime.Actors.Tasks.IProcessSession>(process);
            })));
            using var tcp = new TcpClient();
            await tcp.ConnectAsync(url.Host, url.Port, TestContext.Current.CancellationToken);
            await tcp.Client.SendAsync(Encoding.ASCII.GetBytes(
                $"GET {url.PathAndQuery} HTTP/1.1\r\nHost: {url.Authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
                $"Sec-WebSocket-Protocol: {protocols[random.Next(protocols.Length)]}\r\n\r\n"));
            var head = new byte[12];
            await tcp.GetStream().ReadExactlyAsync(head, TestContext.Current.CancellationToken);
            Assert.Equal("HTTP/1.1 101", Encoding.ASCII.GetString(head));
            try
            {
                for (var i = random.Next(5); i >= 0; i--) await tcp.Client.SendAsync(Frame(random));
            }
            catch (SocketException)
            {
                // It has closed already.
            }
            tcp.Close();
            // While its process does not read, a client's end is looked for from time to time.
            await Eventually.True(() =>
            {
                server.Clock.Advance(HangupWatch.Interval);
                return server.Server.Sessions == 0;
            }, ServerUnderTest.Limit, () => $"seed {seed}: the session is left");
            // A client may be gone before its process is started.
            Assert.True(process.Disposed.IsCompleted == opened, $"seed {seed}: the process is left");
        }
        await server.NoSessionLeftAsync();
    }

    // A masked frame, as a rule; its parts may lie.
    private static byte[] Frame(Random random)
    {
        var payload = new byte[random.Next(3) switch { 0 => 0, 1 => random.Next(200), _ => random.Next(70_000) }];
        random.NextBytes(payload);
        if (payload.Length > 0) payload[0] = (byte)random.Next(8) switch { 0 => 0, 1 => 4, 2 => 255, 3 => (byte)'0', var any => (byte)any };
        using var frame = new MemoryStream();
        frame.WriteByte((byte)(random.Next(4) == 0 ? random.Next(256) : 0x80 | random.Next(3)));
        var claimed = random.Next(10) == 0 ? random.Next(1 << 20) : payload.Length;
        var mask = random.Next(10) == 0 ? 0 : 0x80;
        if (claimed < 126) frame.WriteByte((byte)(mask | claimed));
        else if (claimed < 65536) frame.Write([(byte)(mask | 126), (byte)(claimed >> 8), (byte)claimed]);
        else frame.Write([(byte)(mask | 127), 0, 0, 0, 0, 0, (byte)(claimed >> 16), (byte)(claimed >> 8), (byte)claimed]);
        if (mask != 0) frame.Write([0, 0, 0, 0]);
        frame.Write(payload);
        return frame.ToArray();
    }

    /// <summary>What a well-behaved client sends.</summary>
    private static async Task<byte[]> RecordAsync()
    {
        using var sent = new MemoryStream();
        var client = SpdyClient.Over(new RecordingStream(sent)).Start();
        foreach (var type in new[] { "error", "stdin", "stdout", "stderr", "resize" })
        {
            var stream = await client.OpenAsync(type, waits: false, ("port", "80"), ("requestID", "1"));
            await stream.WriteAsync("some data of the stream");
            await client.SendWordsAsync(9, stream.Id, 1000);
            if (type != "stdout") await stream.FinishAsync();
        }
        await client.SendWordsAsync(4, 1, 7, 4096);
        await client.SendWordsAsync(6, 1);
        await client.SendWordsAsync(3, 5, 5);
        await client.SendWordsAsync(7, 0, 0);
        await client.DisposeAsync();
        return sent.ToArray();
    }

    private static byte[] Mutate(byte[] recorded, Random random)
    {
        var bytes = (byte[])recorded.Clone();
        for (var i = random.Next(1, 6); i > 0; i--)
        {
            switch (random.Next(4))
            {
                case 0:
                    bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    bytes = bytes[..random.Next(1, bytes.Length + 1)];
                    break;
                default:
                    var at = random.Next(bytes.Length);
                    var noise = new byte[random.Next(64)];
                    random.NextBytes(noise);
                    bytes = [.. bytes[..at], .. noise, .. bytes[at..]];
                    break;
            }
        }
        return bytes;
    }

    /// <summary>Gives recorded bytes in pieces of any size, and forgets what is written.</summary>
    private sealed class ReplayStream(byte[] bytes, Random random) : Stream
    {
        private int _at;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = Math.Min(Math.Min(buffer.Length, random.Next(1, 64)), bytes.Length - _at);
            bytes.AsMemory(_at, count).CopyTo(buffer);
            _at += count;
            return ValueTask.FromResult(count);
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => default;

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }

    /// <summary>Keeps what is written; nothing comes from it.</summary>
    private sealed class RecordingStream(Stream kept) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(0);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            kept.WriteAsync(buffer, cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => 0;

        public override void Write(byte[] buffer, int offset, int count) => kept.Write(buffer, offset, count);

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
