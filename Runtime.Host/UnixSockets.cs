using System.Net.Sockets;
using Runtime.Faults;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Runtime.Host;

/// <summary>The daemon's sockets: root's, and of the group that the configuration names.</summary>
internal static class UnixSockets
{
    /// <summary>sun_path holds 108 bytes with its end; a longer path would be cut silently by some clients.</summary>
    private const int PathMax = 106;

    /// <summary>Makes room for a socket: its directory, and the file of a daemon that is gone.</summary>
    /// <exception cref="FaultException">AlreadyExists: another daemon answers there. InvalidArgument: the path is too long.</exception>
    public static void Prepare(string path)
    {
        if (path.Length > PathMax)
        {
            throw new FaultException(FaultKind.InvalidArgument, "socket.path-too-long",
                $"The socket path {path} is longer than {PathMax} bytes.");
        }
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (!File.Exists(path)) return;
        if (SomebodyAnswers(path))
        {
            throw new FaultException(FaultKind.AlreadyExists, "socket.in-use",
                $"Another daemon listens on {path}; stop it first, or give this one another address.");
        }
        File.Delete(path);
    }

    /// <summary>Mode 0660 and the owner that the configuration names.</summary>
    public static unsafe void Restrict(string path, int uid, int gid)
    {
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite);
        if (uid == 0 && gid == 0) return;
        fixed (byte* name = System.Text.Encoding.UTF8.GetBytes(path + '\0'))
            if (chown(name, (uid_t)(uint)uid, (gid_t)(uint)gid) != 0) throw Runtime.Linux.Errno.Fault(errno, "chown", path);
    }

    private static bool SomebodyAnswers(string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException)
        {
            return false; // refused: a file that nobody listens on
        }
    }
}
