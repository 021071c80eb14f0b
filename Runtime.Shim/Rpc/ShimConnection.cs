using System.Buffers;
using Microsoft.Win32.SafeHandles;
using Runtime.Faults;
using Runtime.Linux.Io;
using Runtime.Shim.Loops;
using Runtime.Ttrpc.Rpc;
using Runtime.Ttrpc.Wire;

namespace Runtime.Shim.Rpc;

/// <summary>One ttrpc connection of a daemon. Requests are decoded in the buffer that they were read into.</summary>
internal sealed class ShimConnection
{
    private const int FirstBufferBytes = 4096;

    /// <summary>Replies that a peer does not read; beyond it the connection is closed.</summary>
    private const int MaxUnsentBytes = 16 * 1024 * 1024;

    private readonly EventLoop _loop;
    private readonly SafeFileHandle _socket;
    private readonly IDispatcher _dispatcher;
    private readonly Action<ShimConnection> _ended;
    private readonly EventLoop.Watch _watch;
    private readonly WireWriter _out = new();
    private byte[] _in = ArrayPool<byte>.Shared.Rent(FirstBufferBytes);
    private int _length;
    private int _sent;
    private long _skip;

    public ShimConnection(EventLoop loop, SafeFileHandle socket, IDispatcher dispatcher, Action<ShimConnection> ended)
    {
        (_loop, _socket, _dispatcher, _ended) = (loop, socket, dispatcher, ended);
        _watch = loop.Add(socket, EpollEvents.In, OnReady);
    }

    public bool IsClosed { get; private set; }

    public void Reply<T>(uint stream, T message)
        where T : IWireMessage<T>
    {
        if (IsClosed)
            return;
        RpcResponse.WriteFrame(_out, stream, message);
        Flush();
    }

    public void Refuse(uint stream, RuntimeFault fault)
    {
        if (IsClosed)
            return;
        RpcResponse.WriteFrame(_out, stream, fault);
        Flush();
    }

    public void Close()
    {
        if (IsClosed)
            return;
        Leave();
        _socket.Dispose();
    }

    /// <summary>Gives the socket away; to be called while a request is dispatched, after its answer.</summary>
    public SafeFileHandle TakeOver()
    {
        if (IsClosed || _out.Length > 0)
            throw new FaultException(FaultKind.Unavailable, "ttrpc.closed", "The connection broke, or its peer does not read.");
        Leave();
        return _socket;
    }

    private void Leave()
    {
        IsClosed = true;
        _loop.Remove(_watch);
        _out.Dispose();
        ArrayPool<byte>.Shared.Return(_in);
        _in = [];
        _ended(this);
    }

    private void OnReady(EpollEvents events)
    {
        if (events.HasFlag(EpollEvents.Out))
            Flush();
        if (!IsClosed && (events & (EpollEvents.In | EpollEvents.Hangup | EpollEvents.Error)) != 0)
            Receive();
    }

    private void Receive()
    {
        while (!IsClosed)
        {
            var count = RawIo.TryRead(_socket, _in.AsSpan(_length));
            if (count == RawIo.NotReady)
                return;
            if (count <= 0)
            {
                Close();
                return;
            }
            _length += count;
            Consume();
        }
    }

    private void Consume()
    {
        var at = 0;
        while (!IsClosed)
        {
            if (_skip > 0)
            {
                var skipped = (int)Math.Min(_skip, _length - at);
                (at, _skip) = (at + skipped, _skip - skipped);
                if (_skip > 0)
                    break;
            }
            if (_length - at < FrameHeader.Bytes)
                break;
            var frame = FrameHeader.Read(_in.AsSpan(at));
            if (frame.Length is < 0 or > FrameHeader.MaxPayload)
            {
                _skip = FrameHeader.Bytes + (long)(uint)frame.Length;
                Refuse(frame.Stream, new(FaultKind.ResourceExhausted, "ttrpc.too-big",
                    $"The request has {(uint)frame.Length} bytes; {FrameHeader.MaxPayload} are allowed."));
                continue;
            }
            if (_length - at < FrameHeader.Bytes + frame.Length)
            {
                Grow(FrameHeader.Bytes + frame.Length, at);
                at = 0;
                break;
            }
            Dispatch(frame, _in.AsSpan(at + FrameHeader.Bytes, frame.Length));
            at += FrameHeader.Bytes + frame.Length;
        }
        if (IsClosed)
            return;
        if (at > 0)
        {
            _in.AsSpan(at, _length - at).CopyTo(_in);
            _length -= at;
        }
        if (_length == 0 && _in.Length > 4 * FirstBufferBytes)
        {
            ArrayPool<byte>.Shared.Return(_in);
            _in = ArrayPool<byte>.Shared.Rent(FirstBufferBytes);
        }
    }

    private void Dispatch(FrameHeader frame, ReadOnlySpan<byte> payload)
    {
        var call = new Call(this, frame.Stream);
        try
        {
            if (frame.Type != FrameType.Request || frame.Stream % 2 == 0)
                throw new FaultException(FaultKind.InvalidArgument, "ttrpc.bad-frame", "Only requests on odd streams are understood.");
            var request = RpcRequest.Read(new WireReader(payload));
            _dispatcher.Dispatch(call, System.Text.Encoding.UTF8.GetString(request.Service),
                System.Text.Encoding.UTF8.GetString(request.Method), new WireReader(request.Payload));
        }
        catch (FaultException refused)
        {
            call.Refuse(refused.Fault);
        }
        // A defect in one handler is this call's failure, and no other's.
#pragma warning disable CA1031
        catch (Exception defect)
#pragma warning restore CA1031
        {
            call.Refuse(RuntimeFault.From(defect));
        }
    }

    /// <summary>Room for a whole frame, moved to the front.</summary>
    private void Grow(int needed, int at)
    {
        var target = _in.Length >= needed ? _in : ArrayPool<byte>.Shared.Rent(needed);
        _in.AsSpan(at, _length - at).CopyTo(target);
        _length -= at;
        if (target == _in)
            return;
        ArrayPool<byte>.Shared.Return(_in);
        _in = target;
    }

    private void Flush()
    {
        while (_sent < _out.Length)
        {
            var count = RawIo.TrySend(_socket, _out.Written[_sent..]);
            if (count == RawIo.Broken || _out.Length - _sent > MaxUnsentBytes)
            {
                Close();
                return;
            }
            if (count == RawIo.NotReady)
            {
                _loop.Change(_watch, EpollEvents.In | EpollEvents.Out);
                return;
            }
            _sent += count;
        }
        _out.Clear();
        _sent = 0;
        _loop.Change(_watch, EpollEvents.In);
    }
}
