using Microsoft.Win32.SafeHandles;
using Runtime.Linux.Io;
using Runtime.Shim.Loops;
using Runtime.Ttrpc.Actord;

namespace Runtime.Shim.Streams;

/// <summary>The connections that a client has opened for an exec, until its start takes them. On the control loop only.</summary>
internal sealed class ExecConnections
{
    private readonly SafeFileHandle?[] _waiting = new SafeFileHandle?[3];
    private SafeFileHandle? _watched;
    private EventLoop.Watch? _watch;

    public bool Has(StreamKind kind) => _waiting[(int)kind] is not null;

    /// <param name="socket">Owned from here on.</param>
    /// <param name="abandoned">Called once when the client closes an output: then nobody waits for the exec any more.</param>
    public void Add(EventLoop loop, StreamKind kind, SafeFileHandle socket, Action abandoned)
    {
        _waiting[(int)kind] = socket;
        if (kind == StreamKind.Stdin || _watch is not null)
            return;
        // A descriptor of its own: the other one lives in the I/O loop.
        _watched = RawIo.Duplicate(socket);
        _watch = loop.Add(_watched, EpollEvents.None, _ =>
        {
            StopWatching(loop);
            abandoned();
        });
    }

    public SafeFileHandle? Take(StreamKind kind)
    {
        var socket = _waiting[(int)kind];
        _waiting[(int)kind] = null;
        return socket;
    }

    public void Dispose(EventLoop loop)
    {
        StopWatching(loop);
        foreach (var kind in (ReadOnlySpan<StreamKind>)[StreamKind.Stdin, StreamKind.Stdout, StreamKind.Stderr])
            Take(kind)?.Dispose();
    }

    private void StopWatching(EventLoop loop)
    {
        if (_watch is not null)
            loop.Remove(_watch);
        _watched?.Dispose();
        (_watch, _watched) = (null, null);
    }
}
