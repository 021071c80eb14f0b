using System.Buffers;
using System.Buffers.Binary;

namespace Runtime.Cri.Streaming;

/// <summary>
/// The server's side of a SPDY/3.1 connection: streams that the client opens, with bytes both ways. The draft is "SPDY
/// Protocol - Draft 3.1" of the Chromium project.
/// </summary>
/// <remarks>
/// <para>
/// Windows. The client library of the field (moby/spdystream) keeps none: it sends what it has, never sends WINDOW_UPDATE, and
/// counts on TCP to hold it back. So the windows of a peer count from its first WINDOW_UPDATE or SETTINGS with an initial window
/// on; until then TCP alone holds us back too. In the other direction a stream's buffer is larger than its window: a peer that
/// keeps windows never makes the connection wait for one slow stream, and with any other peer the connection is not read while a
/// buffer is full. A peer that goes on without an update shows that it keeps none, and gets none from then on: they would
/// only fill its queues.
/// </para>
/// <para>Nothing here grows with time: streams have a limit and a bounded buffer each, and ended ones are forgotten.</para>
/// </remarks>
internal sealed class SpdyConnection : IDisposable
{
    /// <summary>The draft's initial window, of a stream and of the connection.</summary>
    public const int WindowBytes = 64 * 1024;

    /// <summary>A frame's data: two streams share the connection fairly.</summary>
    public const int DataBytesMax = 32 * 1024;

    /// <summary>A port-forward opens two for each connection that it carries.</summary>
    public const int StreamsMax = 2000;

    /// <summary>Data of a control frame: header blocks are much shorter.</summary>
    private const int ControlBytesMax = 16 * 1024;

    /// <summary>What is left of a window when it is given again: late, so that who goes on without shows it.</summary>
    private const int GrantBelow = WindowBytes / 4;

    private const uint SettingInitialWindow = 7;

    private readonly Stream _transport;
    private readonly SpdyReader _reader;
    private readonly IdleWatch _idle;
    private readonly Func<SpdyStream, Action?> _accept;
    private SpdyHeaderReader? _headersIn = new();
    private readonly SpdyHeaderWriter _headersOut = new();
    private readonly SpdyStreams _streams = new();
    private readonly SemaphoreSlim _writing = new(1);
    private readonly Lock _windowLock = new();
    private uint _lastStreamId;
    private long _initialSendWindow = WindowBytes;
    private long _sendWindow = WindowBytes;
    private TaskCompletionSource? _credit;
    private long _receiveWindow = WindowBytes;
    private bool _peerIgnoresWindows;

    /// <param name="accept">
    /// Decides about a new stream from its headers: null refuses it, else what has to be done once the client has its answer.
    /// Called by the reader, so it must not wait.
    /// </param>
    public SpdyConnection(Stream transport, IdleWatch idle, Func<SpdyStream, Action?> accept)
    {
        (_transport, _idle, _accept) = (transport, idle, accept);
        _reader = new SpdyReader(transport, idle);
    }

    /// <summary>The peer has sent a window of its own.</summary>
    public bool PeerKeepsWindows { get; private set; }

    public int StreamCount => _streams.Count;

    /// <summary>Reads frames until the client closes the connection. Then, or when it fails, every stream ends.</summary>
    /// <exception cref="SpdyProtocolException">The client does not speak SPDY; it has been told.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public async Task ReadAsync(CancellationToken cancellation)
    {
        IOException? end = null;
        try
        {
            var header = new byte[SpdyFrame.HeaderBytes];
            while (await _reader.FillAsync(header, cancellation))
            {
                var frame = SpdyFrame.Parse(header);
                if (frame.IsControl) await ReadControlAsync(frame, cancellation);
                else await ReadDataAsync(frame, cancellation);
            }
        }
        catch (SpdyProtocolException wrong)
        {
            end = wrong;
            await GoAwayAsync(SpdyResetReason.ProtocolError, cancellation);
            throw;
        }
        catch (IOException broken)
        {
            end = broken;
            throw;
        }
        finally
        {
            end ??= new IOException("The client has closed the connection.");
            foreach (var stream in _streams.Clear()) stream.End(end);
        }
    }

    /// <summary>
    /// Refuses further streams unread, and lets go of what their headers need, a large part of an idle connection. For the
    /// reader to call, from what a stream's acceptance has to do.
    /// </summary>
    public void AcceptNoMore() => _headersIn = null;

    /// <summary>No new streams: the client closes the connection when it has read all.</summary>
    public ValueTask GoAwayAsync(CancellationToken cancellation) => GoAwayAsync(0, cancellation);

    public async ValueTask WriteDataAsync(uint streamId, SpdyFlags flags, ReadOnlyMemory<byte> data, CancellationToken cancellation)
    {
        while (PeerKeepsWindows && data.Length > 0)
        {
            var count = await TakeCreditAsync(data.Length, cancellation);
            if (count == data.Length) break;
            await WriteAsync(SpdyFrame.Data(streamId, SpdyFlags.None, count), data[..count], cancellation);
            data = data[count..];
        }
        await WriteAsync(SpdyFrame.Data(streamId, flags, data.Length), data, cancellation);
    }

    public async ValueTask FinishStreamAsync(SpdyStream stream, CancellationToken cancellation)
    {
        await WriteAsync(SpdyFrame.Data(stream.Id, SpdyFlags.Fin, 0), default, cancellation);
        Forget(stream);
    }

    public ValueTask ResetStreamAsync(SpdyStream stream, SpdyResetReason reason, CancellationToken cancellation)
    {
        _streams.Remove(stream.Id);
        return ResetAsync(stream.Id, reason, cancellation);
    }

    /// <summary>Gives the client a stream's window again when it has nearly used it up, for what has left the buffer.</summary>
    public async ValueTask ConsumedAsync(SpdyStream stream, long count, CancellationToken cancellation)
    {
        long grant;
        lock (_windowLock)
        {
            stream.Unread -= count;
            grant = WindowBytes - stream.ReceiveWindow - stream.Unread;
            if (_peerIgnoresWindows || stream.InputEnded || stream.ReceiveWindow > GrantBelow || grant < WindowBytes / 2) return;
            stream.ReceiveWindow += grant;
        }
        await WriteWordsAsync(SpdyFrameType.WindowUpdate, stream.Id, (uint)grant, cancellation);
    }

    public void Dispose() => _writing.Dispose();

    private async ValueTask ReadDataAsync(SpdyFrame frame, CancellationToken cancellation)
    {
        await CountReceivedAsync(frame.Length, cancellation);
        if (_streams.Find(frame.StreamId) is not { InputEnded: false } stream)
        {
            // Of a stream that has ended here, it was on its way; of one that never was, the client has to know.
            await _reader.SkipAsync(frame.Length, cancellation);
            if (frame.StreamId > _lastStreamId || frame.StreamId == 0)
                await ResetAsync(frame.StreamId, SpdyResetReason.InvalidStream, cancellation);
            return;
        }
        lock (_windowLock)
        {
            stream.ReceiveWindow -= frame.Length;
            stream.Unread += frame.Length;
            _peerIgnoresWindows |= stream.ReceiveWindow < 0;
        }
        await ReceiveAsync(stream, frame.Length, cancellation);
        if (!frame.Flags.HasFlag(SpdyFlags.Fin)) return;
        stream.EndInput();
        Forget(stream);
    }

    // Straight from the socket into the stream's buffer; waits while that is full.
    private async ValueTask ReceiveAsync(SpdyStream stream, int length, CancellationToken cancellation)
    {
        while (length > 0)
        {
            var room = stream.Received.GetMemory();
            if (room.Length > length) room = room[..length];
            var count = await _reader.ReadAsync(room, cancellation);
            if (count == 0) throw SpdyReader.CutOff();
            length -= count;
            stream.Received.Advance(count);
            var flushed = await stream.Received.FlushAsync(cancellation);
            if (flushed.IsCompleted) break;
        }
        await _reader.SkipAsync(length, cancellation);
    }

    // The streams' windows bound what waits here, so the connection's own is given again at once.
    private async ValueTask CountReceivedAsync(int count, CancellationToken cancellation)
    {
        long grant;
        lock (_windowLock)
        {
            _receiveWindow -= count;
            _peerIgnoresWindows |= _receiveWindow < 0;
            if (_peerIgnoresWindows || _receiveWindow > GrantBelow) return;
            grant = WindowBytes - _receiveWindow;
            _receiveWindow += grant;
        }
        await WriteWordsAsync(SpdyFrameType.WindowUpdate, 0, (uint)grant, cancellation);
    }

    private async ValueTask ReadControlAsync(SpdyFrame frame, CancellationToken cancellation)
    {
        if (frame.Version != SpdyFrame.WireVersion) throw new SpdyProtocolException($"A frame has version {frame.Version}.");
        if (frame.Length > ControlBytesMax) throw new SpdyProtocolException($"A control frame has {frame.Length} bytes.");
        var data = ArrayPool<byte>.Shared.Rent(frame.Length);
        try
        {
            if (frame.Length > 0 && !await _reader.FillAsync(data.AsMemory(0, frame.Length), cancellation)) throw SpdyReader.CutOff();
            switch (frame.Type)
            {
                case SpdyFrameType.SynStream:
                    await OpenAsync(frame, data, cancellation);
                    break;
                case SpdyFrameType.SynReply or SpdyFrameType.Headers:
                    // Not used by the field, but a part of the one compressed stream.
                    AtLeast(frame, 4);
                    _headersIn?.Read(data, 4, frame.Length - 4);
                    break;
                case SpdyFrameType.RstStream:
                    AtLeast(frame, 8);
                    _streams.Remove(Word(data, 0))?.End(new ClientStreamResetException());
                    break;
                case SpdyFrameType.Settings:
                    ReadSettings(frame, data);
                    break;
                case SpdyFrameType.Ping:
                    AtLeast(frame, 4);
                    // An even id would be the answer to a ping of ours.
                    if (Word(data, 0) % 2 == 1) await WriteAsync(frame with { Length = 4 }, data.AsMemory(0, 4), cancellation);
                    break;
                case SpdyFrameType.WindowUpdate:
                    AtLeast(frame, 8);
                    AddCredit(Word(data, 0) & SpdyFrame.StreamIdMax, Word(data, 4) & SpdyFrame.StreamIdMax);
                    break;
                default: // GOAWAY: it will close. Others: the draft has them ignored.
                    break;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(data);
        }
    }

    /// <summary>SYN_STREAM: u32 stream id, u32 associated stream, u8 priority, u8 slot, headers.</summary>
    private async ValueTask OpenAsync(SpdyFrame frame, byte[] data, CancellationToken cancellation)
    {
        const int fixedBytes = 10;
        AtLeast(frame, fixedBytes);
        var id = Word(data, 0) & SpdyFrame.StreamIdMax;
        var headers = _headersIn?.Read(data, fixedBytes, frame.Length - fixedBytes);
        if (id % 2 == 0 || id <= _lastStreamId)
            throw new SpdyProtocolException($"Stream {id} cannot be opened after stream {_lastStreamId}.");
        _lastStreamId = id;
        if (headers is null)
        {
            await ResetAsync(id, SpdyResetReason.RefusedStream, cancellation);
            return;
        }
        var stream = new SpdyStream(this, id, headers, frame.Flags, _initialSendWindow);
        if (_streams.Count >= StreamsMax || _accept(stream) is not { } start)
        {
            stream.End(new ClientStreamResetException());
            await ResetAsync(id, SpdyResetReason.RefusedStream, cancellation);
            return;
        }
        if (!stream.Ended) _streams.Add(stream);
        // The client drops what comes before its answer.
        var block = _headersOut.NextEmptyBlock();
        var reply = new byte[4 + block.Length];
        BinaryPrimitives.WriteUInt32BigEndian(reply, id);
        block.CopyTo(reply, 4);
        await WriteAsync(SpdyFrame.Control(SpdyFrameType.SynReply, SpdyFlags.None, reply.Length), reply, cancellation);
        start();
    }

    /// <summary>SETTINGS: u32 count, then for each: u8 flags, u24 id, u32 value.</summary>
    private void ReadSettings(SpdyFrame frame, byte[] data)
    {
        AtLeast(frame, 4);
        var count = Word(data, 0);
        if (count > (frame.Length - 4) / 8) throw new SpdyProtocolException("SETTINGS is cut off.");
        for (var i = 0; i < count; i++)
        {
            if ((Word(data, 4 + (i * 8)) & 0xFF_FFFF) != SettingInitialWindow) continue;
            var window = Word(data, 8 + (i * 8));
            if (window > int.MaxValue) throw new SpdyProtocolException("The initial window is larger than 31 bits.");
            PeerKeepsWindows = true;
            foreach (var stream in _streams.ToArray()) stream.AddCredit(window - _initialSendWindow);
            _initialSendWindow = window;
        }
    }

    private void AddCredit(uint streamId, uint delta)
    {
        PeerKeepsWindows = true;
        if (streamId != 0)
        {
            _streams.Find(streamId)?.AddCredit(delta);
            return;
        }
        TaskCompletionSource? waiting;
        lock (_windowLock)
        {
            _sendWindow += delta;
            if (_sendWindow > int.MaxValue) throw new SpdyProtocolException("The window of the connection is larger than 31 bits.");
            (waiting, _credit) = (_credit, null);
        }
        waiting?.TrySetResult();
    }

    private async ValueTask<int> TakeCreditAsync(int wanted, CancellationToken cancellation)
    {
        while (true)
        {
            Task credit;
            lock (_windowLock)
            {
                var count = PeerKeepsWindows ? (int)Math.Min(wanted, _sendWindow) : wanted;
                if (count > 0)
                {
                    _sendWindow -= count;
                    return count;
                }
                _credit ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                credit = _credit.Task;
            }
            await credit.WaitAsync(cancellation);
        }
    }

    private void Forget(SpdyStream stream)
    {
        if (stream.Ended) _streams.Remove(stream.Id);
    }

    private ValueTask ResetAsync(uint streamId, SpdyResetReason reason, CancellationToken cancellation) =>
        WriteWordsAsync(SpdyFrameType.RstStream, streamId, (uint)reason, cancellation);

    // The reasons to go away have the numbers of the reasons to reset; 0 is none.
    private ValueTask GoAwayAsync(SpdyResetReason reason, CancellationToken cancellation) =>
        WriteWordsAsync(SpdyFrameType.GoAway, _lastStreamId, (uint)reason, cancellation);

    private async ValueTask WriteWordsAsync(SpdyFrameType type, uint first, uint second, CancellationToken cancellation)
    {
        var data = new byte[8];
        BinaryPrimitives.WriteUInt32BigEndian(data, first);
        BinaryPrimitives.WriteUInt32BigEndian(data.AsSpan(4), second);
        await WriteAsync(SpdyFrame.Control(type, SpdyFlags.None, data.Length), data, cancellation);
    }

    // A frame in one write, so that it is one segment on the wire.
    private async ValueTask WriteAsync(SpdyFrame frame, ReadOnlyMemory<byte> data, CancellationToken cancellation)
    {
        var length = SpdyFrame.HeaderBytes + data.Length;
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            frame.Write(buffer);
            data.CopyTo(buffer.AsMemory(SpdyFrame.HeaderBytes));
            await _writing.WaitAsync(cancellation);
            try
            {
                await _transport.WriteAsync(buffer.AsMemory(0, length), cancellation);
            }
            finally
            {
                _writing.Release();
            }
            _idle.Touch();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static uint Word(byte[] data, int offset) => BinaryPrimitives.ReadUInt32BigEndian(data.AsSpan(offset));

    private static void AtLeast(SpdyFrame frame, int bytes)
    {
        if (frame.Length < bytes) throw new SpdyProtocolException($"{frame.Type} has {frame.Length} bytes.");
    }
}
