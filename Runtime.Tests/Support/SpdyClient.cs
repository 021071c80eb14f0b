using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using System.IO.Pipelines;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using ICSharpCode.SharpZipLib.Zip.Compression;
using Runtime.Cri.Streaming;

namespace Runtime.Tests.Support;

/// <summary>
/// A client of the streaming server: as the field's library by default, which keeps no windows; or one that keeps them.
/// </summary>
public sealed class SpdyClient : IAsyncDisposable
{
    private readonly TcpClient? _tcp;
    private readonly Stream _stream;
    private readonly Deflater _deflater = new(9);
    private readonly SemaphoreSlim _writing = new(1);
    private readonly ConcurrentDictionary<uint, SpdyClientStream> _streams = new();
    private Task _reading = Task.CompletedTask;
    private uint _nextId = 1;

    private SpdyClient(TcpClient? tcp, Stream stream)
    {
        (_tcp, _stream) = (tcp, stream);
        _deflater.SetDictionary(SpdyDictionary.Bytes);
    }

    /// <summary>Of the answer to the upgrade; 101 when it was accepted.</summary>
    public int Status { get; private set; }

    /// <summary>The answer's head, and the start of its body where there is one.</summary>
    public string Head { get; private set; } = "";

    /// <summary>The server has sent GOAWAY.</summary>
    public bool GoneAway { get; private set; }

    /// <summary>WINDOW_UPDATE frames of the server.</summary>
    public int WindowUpdates { get; private set; }

    /// <summary>Sends only within the server's windows, and gives it windows.</summary>
    public bool KeepsWindows { get; private init; }

    /// <summary>Completes when the server has closed the connection.</summary>
    public Task Closed => _reading;

    /// <param name="protocols">Values of X-Stream-Protocol-Version.</param>
    public static async Task<SpdyClient> ConnectAsync(
        string url, string[] protocols, bool keepsWindows = false, string method = "POST", int? receiveBuffer = null)
    {
        var target = new Uri(url);
        var tcp = new TcpClient { NoDelay = true };
        if (receiveBuffer is { } size) tcp.ReceiveBufferSize = size;
        await tcp.ConnectAsync(target.Host, target.Port);
        Stream stream = tcp.GetStream();
        if (target.Scheme == "https")
        {
            // The server's certificate is of its own making, as its name is.
            var tls = new SslStream(stream, false, (_, certificate, _, _) => certificate?.Subject == $"CN={Environment.MachineName}");
            await tls.AuthenticateAsClientAsync(target.Host);
            stream = tls;
        }
        var client = new SpdyClient(tcp, stream) { KeepsWindows = keepsWindows };
        var versions = string.Concat(protocols.Select(name => $"X-Stream-Protocol-Version: {name}\r\n"));
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"{method} {target.PathAndQuery} HTTP/1.1\r\nHost: {target.Authority}\r\nContent-Length: 0\r\n" +
            $"Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n{versions}\r\n"));
        await client.ReadHeadAsync();
        return client;
    }

    /// <summary>A connection that is past the upgrade.</summary>
    public static SpdyClient Over(Stream stream) => new(null, stream);

    /// <summary>Begins to read frames: what comes before waits in the kernel.</summary>
    public SpdyClient Start()
    {
        _reading = ReadAsync();
        return this;
    }

    /// <summary>Opens a stream and waits for the server's answer.</summary>
    public Task<SpdyClientStream> OpenAsync(string type, params (string Name, string Value)[] headers) =>
        OpenAsync(type, waits: true, headers);

    public async Task<SpdyClientStream> OpenAsync(string type, bool waits, params (string Name, string Value)[] headers)
    {
        SpdyClientStream stream;
        await _writing.WaitAsync();
        try
        {
            stream = new SpdyClientStream(this, _nextId);
            _streams[_nextId] = stream;
            _nextId += 2;
            var block = Compress([("streamtype", type), .. headers]);
            var data = new byte[10 + block.Length];
            BinaryPrimitives.WriteUInt32BigEndian(data, stream.Id);
            block.CopyTo(data, 10);
            await WriteFrameAsync(SpdyFrame.Control(SpdyFrameType.SynStream, SpdyFlags.None, data.Length), data);
        }
        finally
        {
            _writing.Release();
        }
        if (waits) await stream.Answered.WaitAsync(TimeSpan.FromSeconds(20));
        return stream;
    }

    internal async Task SendAsync(SpdyFrame frame, ReadOnlyMemory<byte> data)
    {
        await _writing.WaitAsync();
        try
        {
            await WriteFrameAsync(frame, data);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Any bytes, as a hostile client sends them.</summary>
    public async Task SendRawAsync(ReadOnlyMemory<byte> bytes) => await _stream.WriteAsync(bytes);

    internal Task SendWordsAsync(int type, params uint[] words)
    {
        var data = new byte[words.Length * 4];
        for (var i = 0; i < words.Length; i++) BinaryPrimitives.WriteUInt32BigEndian(data.AsSpan(i * 4), words[i]);
        return SendAsync(SpdyFrame.Control((SpdyFrameType)type, SpdyFlags.None, data.Length), data);
    }

    /// <summary>Goes without a word.</summary>
    public void Abort()
    {
        _tcp!.Client.LingerState = new LingerOption(true, 0);
        _tcp.Close();
    }

    public async ValueTask DisposeAsync()
    {
        _tcp?.Dispose();
        await _stream.DisposeAsync();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _writing.Dispose();
    }

    private byte[] Compress((string Name, string Value)[] headers)
    {
        using var block = new MemoryStream();
        using (var writer = new BinaryWriter(block, Encoding.ASCII, leaveOpen: true))
        {
            void Text(string text)
            {
                writer.Write(BinaryPrimitives.ReverseEndianness(text.Length));
                writer.Write(Encoding.ASCII.GetBytes(text));
            }

            writer.Write(BinaryPrimitives.ReverseEndianness(headers.Length));
            foreach (var (name, value) in headers)
            {
                Text(name);
                Text(value);
            }
        }
        _deflater.SetInput(block.ToArray());
        _deflater.Flush();
        var compressed = new byte[4096];
        var length = 0;
        while (_deflater.Deflate(compressed, length, compressed.Length - length) is > 0 and var count) length += count;
        return compressed[..length];
    }

    private async Task WriteFrameAsync(SpdyFrame frame, ReadOnlyMemory<byte> data)
    {
        var bytes = new byte[SpdyFrame.HeaderBytes + data.Length];
        frame.Write(bytes);
        data.CopyTo(bytes.AsMemory(SpdyFrame.HeaderBytes));
        await _stream.WriteAsync(bytes);
    }

    private async Task ReadHeadAsync()
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await _stream.ReadAsync(one) > 0)
            head.Append((char)one[0]);
        Head = head.ToString();
        Status = int.Parse(Head.Split(' ')[1], CultureInfo.InvariantCulture);
    }

    private async Task ReadAsync()
    {
        var header = new byte[SpdyFrame.HeaderBytes];
        try
        {
            while (await _stream.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false) == header.Length)
            {
                var frame = SpdyFrame.Parse(header);
                var data = new byte[frame.Length];
                await _stream.ReadExactlyAsync(data);
                await TakeAsync(frame, data);
            }
        }
        catch (Exception end) when (end is IOException or ObjectDisposedException)
        {
        }
        finally
        {
            foreach (var stream in _streams.Values) stream.End(reset: false);
        }
    }

    private async Task TakeAsync(SpdyFrame frame, byte[] data)
    {
        if (!frame.IsControl)
        {
            if (!_streams.TryGetValue(frame.StreamId, out var stream)) return;
            await stream.Incoming.Writer.WriteAsync(data);
            stream.LargestFrame = Math.Max(stream.LargestFrame, data.Length);
            if (KeepsWindows && data.Length > 0) await SendWordsAsync(9, 0, (uint)data.Length);
            if (frame.Flags.HasFlag(SpdyFlags.Fin)) stream.End(reset: false);
            return;
        }
        var first = data.Length >= 4 ? BinaryPrimitives.ReadUInt32BigEndian(data) : 0;
        var named = _streams.GetValueOrDefault(first);
        switch (frame.Type)
        {
            case SpdyFrameType.SynReply:
                named?.Answer();
                break;
            case SpdyFrameType.RstStream:
                named?.End(reset: true);
                break;
            case SpdyFrameType.GoAway:
                GoneAway = true;
                break;
            case SpdyFrameType.WindowUpdate:
                WindowUpdates++;
                named?.AddCredit(BinaryPrimitives.ReadUInt32BigEndian(data.AsSpan(4)));
                break;
            default:
                break;
        }
    }
}

/// <summary>A stream that a <see cref="SpdyClient"/> has opened.</summary>
public sealed class SpdyClientStream(SpdyClient client, uint id)
{
    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private long _credit = SpdyConnection.WindowBytes;
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public uint Id => id;

    /// <summary>The server reset it.</summary>
    public bool WasReset { get; private set; }

    /// <summary>Bytes.</summary>
    public int LargestFrame { get; set; }

    public Task Answered => _answered.Task;

    public Pipe Incoming { get; } = new(new PipeOptions(pauseWriterThreshold: 0));

    public Stream Output => Incoming.Reader.AsStream();

    public void Answer() => _answered.TrySetResult();

    public void End(bool reset)
    {
        WasReset |= reset;
        _answered.TrySetResult();
        Incoming.Writer.Complete();
    }

    public void AddCredit(uint count)
    {
        lock (_lock)
        {
            _credit += count;
            _more.TrySetResult();
        }
    }

    public async Task WriteAsync(ReadOnlyMemory<byte> data)
    {
        if (client.KeepsWindows) await TakeCreditAsync(data.Length);
        await client.SendAsync(SpdyFrame.Data(id, SpdyFlags.None, data.Length), data);
    }

    public Task WriteAsync(string text) => WriteAsync(Encoding.UTF8.GetBytes(text));

    public Task FinishAsync() => client.SendAsync(SpdyFrame.Data(id, SpdyFlags.Fin, 0), default);

    /// <summary>CANCEL.</summary>
    public Task ResetAsync() => client.SendWordsAsync(3, id, 5);

    public async Task<byte[]> ReadToEndAsync()
    {
        using var bytes = new MemoryStream();
        await Output.CopyToAsync(bytes);
        return bytes.ToArray();
    }

    public async Task<string> ReadTextAsync() => Encoding.UTF8.GetString(await ReadToEndAsync());

    /// <summary>Reads so many bytes as text.</summary>
    public async Task<string> ReadTextAsync(int count)
    {
        var bytes = new byte[count];
        await Output.ReadExactlyAsync(bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    private async Task TakeCreditAsync(int count)
    {
        while (true)
        {
            Task more;
            lock (_lock)
            {
                if (_credit >= count)
                {
                    _credit -= count;
                    return;
                }
                _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                more = _more.Task;
            }
            await more;
        }
    }
}
