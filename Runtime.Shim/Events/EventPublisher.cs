using Microsoft.Win32.SafeHandles;
using Runtime.Linux.Io;
using Runtime.Shim.Loops;
using Runtime.Ttrpc.Events;
using Runtime.Ttrpc.Rpc;
using Runtime.Ttrpc.Wire;

namespace Runtime.Shim.Events;

/// <summary>
/// Forwards events to the daemon, one after another, each until it is acknowledged. While the daemon is away they wait, the
/// oldest that are not exits are given up first: the daemon asks for states when it is back, events are hints to it.
/// </summary>
internal sealed class EventPublisher(EventLoop loop, string address, string space, TimeProvider clock, ShimLog log)
{
    /// <summary>Sized for a pod whose daemon is away for hours while probes run; some 200 bytes each.</summary>
    private const int MaxQueued = 2048;

    private const int FirstRetryMs = 100;
    private const int MaxRetryMs = 5000;
    private const int AnswerMs = 5000;

    private readonly LinkedList<Queued> _queue = new();
    private readonly byte[] _in = new byte[4096];
    private SafeFileHandle? _socket;
    private EventLoop.Watch? _watch;
    private EventLoop.Timer? _timer;
    private byte[] _sending = [];
    private int _sent;
    private int _received;
    private int _retryMs = FirstRetryMs;
    private uint _stream = 1;

    /// <param name="Request">Serialized: it may wait for hours.</param>
    private readonly record struct Queued(byte[] Request, string Topic, bool IsExit);

    public bool IsEmpty => _queue.Count == 0;

    public void Publish<T>(string topic, T message)
        where T : IWireMessage<T>
    {
        if (address.Length == 0)
            return;
        if (_queue.Count == MaxQueued)
            GiveUpOldest();
        var request = new ForwardRequest
        {
            Envelope = new()
            {
                Timestamp = clock.GetUtcNow(),
                Namespace = space,
                Topic = topic,
                Event = WireAny.Pack(TaskTopics.TypeOf(topic), message),
            },
        };
        _queue.AddLast(new Queued(WireWriter.ToArray(request), topic, topic == TaskTopics.Exit));
        if (_queue.Count == 1)
            SendFirst();
    }

    private void GiveUpOldest()
    {
        var oldest = _queue.First;
        // The first may be on its way.
        for (var each = _queue.First?.Next; each is not null; each = each.Next)
        {
            if (each.Value.IsExit)
                continue;
            oldest = each;
            break;
        }
        if (oldest == _queue.First)
            oldest = oldest?.Next;
        if (oldest is not null)
            _queue.Remove(oldest);
    }

    private void SendFirst()
    {
        if (_queue.First is null)
            return;
        if (_socket is null)
        {
            _socket = UnixSocket.TryConnect(address, nonBlocking: true);
            if (_socket is null)
            {
                RetryLater();
                return;
            }
            _watch = loop.Add(_socket, EpollEvents.In, OnReady);
            (_stream, _received) = (1, 0);
        }
        using var frame = new WireWriter();
        RpcRequest.WriteFrame(frame, _stream, EventsService.Service, "Forward",
            new WireRaw(_queue.First.Value.Request), TimeSpan.FromMilliseconds(AnswerMs), space);
        _sending = frame.Written.ToArray();
        _sent = 0;
        _timer = loop.After(AnswerMs, Fail);
        Flush();
    }

    private void OnReady(EpollEvents events)
    {
        if (events.HasFlag(EpollEvents.Out))
            Flush();
        if (_socket is null || (events & (EpollEvents.In | EpollEvents.Hangup | EpollEvents.Error)) == 0)
            return;
        var count = RawIo.TryRead(_socket, _in.AsSpan(_received));
        if (count == RawIo.NotReady)
            return;
        if (count <= 0)
        {
            Fail();
            return;
        }
        _received += count;
        if (_received < FrameHeader.Bytes)
            return;
        var frame = FrameHeader.Read(_in);
        if (frame.Length < 0 || frame.Length + FrameHeader.Bytes > _in.Length)
            Fail();
        else if (_received >= frame.Length + FrameHeader.Bytes)
            Acknowledge(frame);
    }

    private void Acknowledge(FrameHeader frame)
    {
        var response = RpcResponse.Read(new WireReader(_in.AsSpan(FrameHeader.Bytes, frame.Length)));
        _received = 0;
        // 14 and 4: it could not now. Anything else is its last word on this event.
        if (response.Code is 14 or 4)
        {
            Fail();
            return;
        }
        if (response.Code != StatusCode.Ok)
            log.Warning($"The daemon refused the event {_queue.First?.Value.Topic}: {response.Message}");
        if (_timer is not null)
            _timer.IsCancelled = true;
        _queue.RemoveFirst();
        _stream += 2;
        _retryMs = FirstRetryMs;
        SendFirst();
    }

    private void Flush()
    {
        while (_socket is not null && _sent < _sending.Length)
        {
            var count = RawIo.TrySend(_socket, _sending.AsSpan(_sent));
            if (count == RawIo.Broken)
            {
                Fail();
                return;
            }
            if (count == RawIo.NotReady)
            {
                loop.Change(_watch!, EpollEvents.In | EpollEvents.Out);
                return;
            }
            _sent += count;
        }
        if (_watch is not null)
            loop.Change(_watch, EpollEvents.In);
    }

    private void Fail()
    {
        if (_timer is not null)
            _timer.IsCancelled = true;
        if (_watch is not null)
            loop.Remove(_watch);
        _socket?.Dispose();
        (_socket, _watch) = (null, null);
        RetryLater();
    }

    private void RetryLater()
    {
        if (_queue.Count == 0)
            return;
        _timer = loop.After(_retryMs, SendFirst);
        _retryMs = Math.Min(MaxRetryMs, _retryMs * 2);
    }
}
