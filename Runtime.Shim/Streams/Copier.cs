using System.Buffers;
using Microsoft.Win32.SafeHandles;
using Runtime.Linux.Io;
using Runtime.Shim.Loops;

namespace Runtime.Shim.Streams;

/// <summary>Copies a pipe, FIFO or terminal to a sink, on the I/O loop. What the sink does not take yet stops the reading.</summary>
internal sealed class Copier
{
    /// <summary>One read; the buffer is shared by all copiers of the loop.</summary>
    private const int ChunkBytes = 32 * 1024;

    /// <summary>Reads in a row before the others get their turn.</summary>
    private const int Turns = 4;

    [ThreadStatic]
    private static byte[]? _chunk;

    private readonly EventLoop _loop;
    private readonly ISink _sink;
    private readonly Action _ended;
    private SafeFileHandle _source;
    private EventLoop.Watch? _reading;
    private EventLoop.Watch? _writing;
    private byte[] _pending = [];
    private int _pendingAt;
    private int _pendingEnd;

    /// <param name="source">Non-blocking; owned from here on.</param>
    /// <param name="ended">Called once, at the source's end or when the sink broke.</param>
    public Copier(EventLoop loop, SafeFileHandle source, ISink sink, Action ended)
    {
        (_loop, _source, _sink, _ended) = (loop, source, sink, ended);
        _reading = loop.Add(source, EpollEvents.In, _ => Pump(Turns));
    }

    public bool IsEnded { get; private set; }

    /// <summary>Copies what is there already, up to an amount that a container's pipe can hold.</summary>
    public void Drain()
    {
        if (!IsEnded && _reading is not null)
            Pump(1024 * 1024 / ChunkBytes);
    }

    /// <summary>Reads on from another descriptor of the same source.</summary>
    public void Replace(SafeFileHandle source)
    {
        if (IsEnded)
        {
            source.Dispose();
            return;
        }
        var wasReading = _reading is not null;
        StopReading();
        _source.Dispose();
        _source = source;
        if (wasReading)
            StartReading();
    }

    public void Stop()
    {
        if (IsEnded)
            return;
        IsEnded = true;
        StopReading();
        StopWriting();
        _source.Dispose();
        _sink.End();
        if (_pending.Length > 0)
            ArrayPool<byte>.Shared.Return(_pending);
        _pending = [];
        _ended();
    }

    private void Pump(int turns)
    {
        var chunk = _chunk ??= GC.AllocateUninitializedArray<byte>(ChunkBytes);
        while (turns-- > 0 && !IsEnded)
        {
            var count = RawIo.TryRead(_source, chunk);
            if (count == RawIo.NotReady)
                return;
            if (count <= 0)
            {
                Stop();
                return;
            }
            var taken = WriteAll(chunk.AsSpan(0, count));
            if (taken < 0)
            {
                Stop();
                return;
            }
            if (taken < count)
            {
                Keep(chunk.AsSpan(taken, count - taken));
                return;
            }
        }
    }

    /// <summary>Bytes taken; negative when the sink is broken.</summary>
    private int WriteAll(ReadOnlySpan<byte> bytes)
    {
        var at = 0;
        while (at < bytes.Length)
        {
            var count = _sink.Write(bytes[at..]);
            if (count == RawIo.Broken)
                return -1;
            if (count == RawIo.NotReady)
                break;
            at += count;
        }
        return at;
    }

    private void Keep(ReadOnlySpan<byte> rest)
    {
        _pending = ArrayPool<byte>.Shared.Rent(rest.Length);
        rest.CopyTo(_pending);
        (_pendingAt, _pendingEnd) = (0, rest.Length);
        // Not just without events: a hang-up would be reported over and over.
        StopReading();
        _writing = _loop.Add(_sink.Waitable!, EpollEvents.Out, _ => WritePending());
    }

    private void WritePending()
    {
        var taken = WriteAll(_pending.AsSpan(_pendingAt, _pendingEnd - _pendingAt));
        if (taken < 0)
        {
            Stop();
            return;
        }
        _pendingAt += taken;
        if (_pendingAt < _pendingEnd)
            return;
        ArrayPool<byte>.Shared.Return(_pending);
        _pending = [];
        StopWriting();
        StartReading();
    }

    private void StartReading() => _reading = _loop.Add(_source, EpollEvents.In, _ => Pump(Turns));

    private void StopReading()
    {
        if (_reading is not null)
            _loop.Remove(_reading);
        _reading = null;
    }

    private void StopWriting()
    {
        if (_writing is not null)
            _loop.Remove(_writing);
        _writing = null;
    }
}
