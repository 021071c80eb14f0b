using System.Collections.ObjectModel;

namespace Runtime.Cri.Streaming;

/// <summary>One stream that the client has opened on a <see cref="SpdyConnection"/>.</summary>
internal sealed class SpdyStream : ClientStream
{
    private readonly SpdyConnection _connection;
    private readonly Lock _lock = new();
    private long _sendWindow;
    private TaskCompletionSource? _credit;
    private bool _finished;
    private bool _ended;

    public SpdyStream(
        SpdyConnection connection, uint id, IReadOnlyDictionary<string, string> headers, SpdyFlags flags, long sendWindow)
    {
        (_connection, Id, Headers, _sendWindow) = (connection, id, headers, sendWindow);
        _finished = flags.HasFlag(SpdyFlags.Unidirectional);
        if (flags.HasFlag(SpdyFlags.Fin)) EndInput();
    }

    public uint Id { get; }

    /// <summary>As the client sent them; names in any case.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; private set; }

    /// <summary>Nothing more comes from the client.</summary>
    public bool InputEnded { get; private set; }

    /// <summary>Both directions have ended.</summary>
    public bool Ended => InputEnded && (_finished || _ended);

    /// <summary>Bytes that the client may still send before it needs an update; below zero, it keeps no windows. The connection's.</summary>
    public long ReceiveWindow { get; set; } = SpdyConnection.WindowBytes;

    /// <summary>Bytes that wait in the buffer. The connection's.</summary>
    public long Unread { get; set; }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellation)
    {
        while (!data.IsEmpty)
        {
            var count = await TakeCreditAsync(Math.Min(data.Length, SpdyConnection.DataBytesMax), cancellation);
            await _connection.WriteDataAsync(Id, SpdyFlags.None, data[..count], cancellation);
            data = data[count..];
        }
    }

    public override ValueTask FinishAsync(CancellationToken cancellation)
    {
        lock (_lock)
        {
            if (_finished || _ended) return ValueTask.CompletedTask;
            _finished = true;
        }
        return _connection.FinishStreamAsync(this, cancellation);
    }

    public override ValueTask ResetAsync(CancellationToken cancellation) =>
        End(new ClientStreamResetException()) ? _connection.ResetStreamAsync(this, SpdyResetReason.Cancel, cancellation) : default;

    public override ValueTask ConsumedAsync(long count, CancellationToken cancellation) =>
        _connection.ConsumedAsync(this, count, cancellation);

    /// <summary>All is known that they say.</summary>
    public void ForgetHeaders() => Headers = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>No stream is accepted after this one.</summary>
    public void IsLast() => _connection.AcceptNoMore();

    /// <summary>The client has sent its last frame.</summary>
    public void EndInput()
    {
        InputEnded = true;
        Received.Complete();
    }

    /// <summary>Ends both directions here. False when they had ended.</summary>
    /// <param name="cause">What readers and writers get.</param>
    public bool End(Exception cause)
    {
        TaskCompletionSource? waiting;
        lock (_lock)
        {
            if (_ended || Ended) return false;
            (_ended, waiting) = (true, _credit);
        }
        waiting?.TrySetResult();
        if (!InputEnded) Received.Complete(cause);
        InputEnded = true;
        return true;
    }

    /// <summary>The client allows so many bytes more, or fewer.</summary>
    /// <exception cref="SpdyProtocolException">The window grows beyond 31 bits.</exception>
    public void AddCredit(long delta)
    {
        TaskCompletionSource? waiting;
        lock (_lock)
        {
            _sendWindow += delta;
            if (_sendWindow > int.MaxValue) throw new SpdyProtocolException($"The window of stream {Id} is larger than 31 bits.");
            (waiting, _credit) = (_credit, null);
        }
        waiting?.TrySetResult();
    }

    private async ValueTask<int> TakeCreditAsync(int wanted, CancellationToken cancellation)
    {
        while (true)
        {
            Task credit;
            lock (_lock)
            {
                if (_ended) throw new ClientStreamResetException();
                if (_finished) throw new IOException($"Stream {Id} is finished: nothing more can be written.");
                var count = _connection.PeerKeepsWindows ? (int)Math.Min(wanted, _sendWindow) : wanted;
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
}
