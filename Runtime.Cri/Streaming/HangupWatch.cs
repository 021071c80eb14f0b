using System.Net.Sockets;

namespace Runtime.Cri.Streaming;

/// <summary>
/// Notices that a client has gone while its connection is not read. Kestrel sees the end of a connection when it reads, and it
/// does not read while a process leaves its input alone: nobody would ever end that process.
/// </summary>
internal sealed class HangupWatch : IDisposable
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    // linux/tcp.h; the first byte of tcp_info is the connection's state, as in include/net/tcp_states.h.
    private const int TcpInfoOption = 11;
    private const byte TcpEstablished = 1;

    private readonly Socket _socket;
    private readonly Action _gone;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private bool _over;

    public HangupWatch(TimeProvider clock, Socket socket, Action gone)
    {
        (_socket, _gone) = (socket, gone);
        _timer = clock.CreateTimer(Look, null, Interval, Interval);
    }

    /// <summary>Nothing is called out after it.</summary>
    public void Dispose()
    {
        lock (_lock) _over = true;
        _timer.Dispose();
    }

    private void Look(object? _)
    {
        lock (_lock)
        {
            if (_over || IsOpen()) return;
            _over = true;
            _gone();
        }
    }

    private bool IsOpen()
    {
        try
        {
            Span<byte> info = stackalloc byte[8];
            _socket.GetRawSocketOption((int)SocketOptionLevel.Tcp, TcpInfoOption, info);
            return info[0] == TcpEstablished;
        }
        catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }
}
