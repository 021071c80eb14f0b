using System.Buffers;
using Microsoft.Win32.SafeHandles;
using Runtime.Linux.Io;
using Runtime.Shim.Loops;

namespace Runtime.Shim.Streams;

/// <summary>A client that reads a container's output as it comes. One that is too slow is cut off. On the I/O loop only.</summary>
internal sealed class AttachedReader
{
    /// <summary>What a reader may be behind, beside what its socket holds: a burst, not a stream that it cannot follow.</summary>
    private const int MaxBehindBytes = 1024 * 1024;

    /// <summary>For the rest, once the output has ended.</summary>
    private const int FarewellMs = 10_000;

    private readonly EventLoop _loop;
    private readonly SafeFileHandle _socket;
    private readonly Action<AttachedReader> _closed;
    private readonly EventLoop.Watch _watch;
    private byte[] _behind = [];
    private int _at;
    private int _end;
    private bool _isEnding;
    private bool _isClosed;

    public AttachedReader(EventLoop loop, SafeFileHandle socket, Action<AttachedReader> closed)
    {
        (_loop, _socket, _closed) = (loop, socket, closed);
        // Without events: only that the client has gone.
        _watch = loop.Add(socket, EpollEvents.None, OnReady);
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (_isClosed)
            return;
        if (_at == _end)
        {
            var sent = RawIo.TrySend(_socket, bytes);
            if (sent == RawIo.Broken)
            {
                Close();
                return;
            }
            bytes = bytes[Math.Max(sent, 0)..];
        }
        if (!bytes.IsEmpty)
            Keep(bytes);
    }

    /// <summary>Nothing more will come.</summary>
    public void End()
    {
        if (_at == _end)
        {
            Close();
            return;
        }
        _isEnding = true;
        _loop.After(FarewellMs, Close);
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        var behind = _end - _at;
        if (behind + bytes.Length > MaxBehindBytes)
        {
            Close();
            return;
        }
        if (_end + bytes.Length > _behind.Length)
        {
            var room = behind + bytes.Length <= _behind.Length ? _behind : ArrayPool<byte>.Shared.Rent(behind + bytes.Length);
            _behind.AsSpan(_at, behind).CopyTo(room);
            if (room != _behind)
                Release();
            (_behind, _at, _end) = (room, 0, behind);
        }
        bytes.CopyTo(_behind.AsSpan(_end));
        _end += bytes.Length;
        _loop.Change(_watch, EpollEvents.Out);
    }

    private void OnReady(EpollEvents events)
    {
        if ((events & (EpollEvents.Hangup | EpollEvents.Error)) != 0)
        {
            Close();
            return;
        }
        while (_at < _end)
        {
            var sent = RawIo.TrySend(_socket, _behind.AsSpan(_at, _end - _at));
            if (sent == RawIo.NotReady)
                return;
            if (sent == RawIo.Broken)
            {
                Close();
                return;
            }
            _at += sent;
        }
        Release();
        (_at, _end) = (0, 0);
        _loop.Change(_watch, EpollEvents.None);
        if (_isEnding)
            Close();
    }

    private void Close()
    {
        if (_isClosed)
            return;
        _isClosed = true;
        _loop.Remove(_watch);
        _socket.Dispose();
        Release();
        _closed(this);
    }

    private void Release()
    {
        if (_behind.Length > 0)
            ArrayPool<byte>.Shared.Return(_behind);
        _behind = [];
    }
}
