using System.Buffers;
using System.Buffers.Text;
using System.Net.WebSockets;

namespace Runtime.Cri.Streaming;

/// <summary>
/// Numbered channels on one WebSocket. A binary message is the channel's number in one byte and its data; in the base64
/// protocols a text message is the number as a digit and its data in base64.
/// </summary>
internal sealed class WebSocketChannels : IDisposable
{
    /// <summary>Names the message that ends a channel (version 5): this byte, and the channel's number.</summary>
    private const byte CloseSignal = 255;

    private const int ReadBytes = 4 * 1024;

    private readonly WebSocket _socket;
    private readonly RemoteProtocol _protocol;
    private readonly IdleWatch _idle;
    private readonly Dictionary<byte, WebSocketChannel> _readable = [];
    private readonly SemaphoreSlim _writing = new(1);

    public WebSocketChannels(WebSocket socket, RemoteProtocol protocol, IdleWatch idle) =>
        (_socket, _protocol, _idle) = (socket, protocol, idle);

    /// <summary>Declares a channel, before reading begins.</summary>
    /// <param name="readable">False: what the client sends on it is dropped.</param>
    public WebSocketChannel Open(byte number, bool readable)
    {
        var channel = new WebSocketChannel(this, number);
        if (readable) _readable.Add(number, channel);
        return channel;
    }

    /// <summary>Reads until the client closes the connection. Then, or when it fails, every channel ends.</summary>
    /// <exception cref="WebSocketException">The client does not speak WebSocket, or has gone without a word.</exception>
    /// <exception cref="IOException">It does not keep to the channels' protocol.</exception>
    public async Task ReadAsync(CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ReadBytes);
        try
        {
            while (await ReadMessageAsync(buffer, cancellation))
            {
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            foreach (var channel in _readable.Values) channel.End(new IOException("The client has closed the connection."));
        }
    }

    /// <summary>Says good-bye; the client closes the connection when it has read all.</summary>
    public async Task CloseAsync(WebSocketCloseStatus status, CancellationToken cancellation)
    {
        await _writing.WaitAsync(cancellation);
        try
        {
            if (_socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
                await _socket.CloseOutputAsync(status, "", cancellation);
        }
        finally
        {
            _writing.Release();
        }
    }

    public async ValueTask WriteAsync(byte channel, ReadOnlyMemory<byte> data, CancellationToken cancellation)
    {
        var length = 1 + (_protocol.Base64 ? Base64.GetMaxEncodedToUtf8Length(data.Length) : data.Length);
        var message = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            message[0] = _protocol.Base64 ? (byte)('0' + channel) : channel;
            if (_protocol.Base64) Base64.EncodeToUtf8(data.Span, message.AsSpan(1), out _, out _);
            else data.Span.CopyTo(message.AsSpan(1));
            await _writing.WaitAsync(cancellation);
            try
            {
                await _socket.SendAsync(
                    message.AsMemory(0, length), _protocol.Base64 ? WebSocketMessageType.Text : WebSocketMessageType.Binary,
                    endOfMessage: true, cancellation);
            }
            catch (WebSocketException gone)
            {
                throw new IOException("The client has closed the connection.", gone);
            }
            finally
            {
                _writing.Release();
            }
            _idle.Touch();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(message);
        }
    }

    public void Dispose() => _writing.Dispose();

    /// <returns>False at the end.</returns>
    private async Task<bool> ReadMessageAsync(byte[] buffer, CancellationToken cancellation)
    {
        var piece = await ReceiveAsync(buffer, 0, cancellation);
        if (piece.MessageType == WebSocketMessageType.Close) return false;
        // A message may come in pieces of any size, empty ones too.
        while (piece.Count == 0 && !piece.EndOfMessage) piece = await ReceiveAsync(buffer, 0, cancellation);
        if (piece.Count == 0) return true;
        var number = _protocol.Base64 ? (byte)(buffer[0] - '0') : buffer[0];
        var closes = _protocol.CloseChannel && number == CloseSignal;
        var channel = closes ? null : _readable.GetValueOrDefault(number);
        var (start, end) = (1, piece.Count);
        while (true)
        {
            var kept = closes ? Close(buffer.AsSpan(start, end - start)) : await DeliverAsync(channel, buffer, start, end, cancellation);
            if (piece.EndOfMessage) return kept == 0 ? true : throw new IOException("A message ends in the middle of its base64.");
            buffer.AsSpan(end - kept, kept).CopyTo(buffer);
            piece = await ReceiveAsync(buffer, kept, cancellation);
            (start, end) = (0, kept + piece.Count);
        }
    }

    private async ValueTask<ValueWebSocketReceiveResult> ReceiveAsync(byte[] buffer, int offset, CancellationToken cancellation)
    {
        var piece = await _socket.ReceiveAsync(buffer.AsMemory(offset, ReadBytes - offset), cancellation);
        _idle.Touch();
        return piece;
    }

    // Nobody reads it, or it has been closed already: no reason to end the others.
    private int Close(ReadOnlySpan<byte> numbers)
    {
        foreach (var number in numbers)
            if (_readable.TryGetValue(number, out var channel)) channel.End(null);
        return 0;
    }

    /// <summary>Puts data into the channel's buffer; waits while that is full.</summary>
    /// <returns>Bytes at the end that make a group of base64 only with those to come.</returns>
    private async ValueTask<int> DeliverAsync(
        WebSocketChannel? channel, byte[] buffer, int start, int end, CancellationToken cancellation)
    {
        var kept = 0;
        if (_protocol.Base64)
        {
            kept = (end - start) % 4;
            var text = buffer.AsSpan(start, end - start - kept);
            if (Base64.DecodeFromUtf8InPlace(text, out var decoded) != OperationStatus.Done)
                throw new IOException("A message is not base64.");
            buffer.AsSpan(end - kept, kept).CopyTo(buffer.AsSpan(start + decoded));
            end = start + decoded + kept;
        }
        if (channel is { Ended: false } && end - kept > start)
            await channel.Received.WriteAsync(buffer.AsMemory(start, end - kept - start), cancellation);
        return kept;
    }
}

/// <summary>One channel. WebSocket has no end of a channel towards the client, and no reset: the connection's end is both.</summary>
internal sealed class WebSocketChannel(WebSocketChannels connection, byte number) : ClientStream
{
    private bool _finished;

    /// <summary>Nothing more comes from the client.</summary>
    public bool Ended { get; private set; }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellation) =>
        _finished ? throw new IOException($"Channel {number} is finished.") : connection.WriteAsync(number, data, cancellation);

    public override ValueTask FinishAsync(CancellationToken cancellation)
    {
        _finished = true;
        return ValueTask.CompletedTask;
    }

    public override ValueTask ResetAsync(CancellationToken cancellation)
    {
        End(new ClientStreamResetException());
        return FinishAsync(cancellation);
    }

    /// <param name="cause">Null: it ended as it should.</param>
    public void End(Exception? cause)
    {
        if (Ended) return;
        Ended = true;
        Received.Complete(cause);
    }
}
