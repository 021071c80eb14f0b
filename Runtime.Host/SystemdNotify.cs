using System.Net.Sockets;
using System.Text;

namespace Runtime.Host;

/// <summary>Tells systemd about the daemon's state (sd_notify(3)); does nothing where no systemd asks for it.</summary>
internal static class SystemdNotify
{
    public static void Send(string state)
    {
        if (Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is not { Length: > 0 } path) return;
        // A leading @ names an abstract socket, which the kernel writes as a zero byte.
        var address = path[0] == '@' ? '\0' + path[1..] : path;
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(address));
        socket.Send(Encoding.UTF8.GetBytes(state));
    }
}
