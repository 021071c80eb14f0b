using System.Text;
using Microsoft.Win32.SafeHandles;
using Runtime.Faults;
using Runtime.Linux.Files;

namespace Runtime.Linux.Io;

/// <summary>Stream sockets with a path, unix(7), without the runtime's socket engine and its threads.</summary>
public static unsafe class UnixSocket
{
    /// <summary>Of sun_path, without the NUL at its end.</summary>
    public const int MaxPath = 107;

    /// <summary>Sized for a burst of clients; the kernel cuts it to net.core.somaxconn. Beyond it a connect fails with EAGAIN.</summary>
    private const int Backlog = 4096;
    private const int ECONNREFUSED = 111;

    /// <summary>A non-blocking listener, mode 0600. Null where the path is taken, by a live listener or a dead one.</summary>
    public static SafeFileHandle? TryListen(string path)
    {
        var socket = Open(IoCalls.SOCK_NONBLOCK);
        Span<byte> address = stackalloc byte[MaxPath + 3];
        var length = Address(path, address);
        fixed (byte* start = address)
        {
            if (IoCalls.bind(socket, start, length) < 0)
            {
                var errno = Errno.Last;
                socket.Dispose();
                const int EADDRINUSE = 98;
                return errno == EADDRINUSE ? null : throw Errno.Fault(errno, "bind", path);
            }
        }
        fixed (byte* name = RawName.Of(path))
            _ = FileCalls.fchmodat(FileCalls.WorkingDirectory, name, 0b110_000_000, 0);
        if (IoCalls.listen(socket, Backlog) < 0)
            throw Errno.Fault("listen", path);
        return socket;
    }

    /// <summary>A connection; null where nobody listens.</summary>
    /// <param name="nonBlocking">A full backlog counts as nobody then.</param>
    public static SafeFileHandle? TryConnect(string path, bool nonBlocking)
    {
        var socket = Open(nonBlocking ? IoCalls.SOCK_NONBLOCK : 0);
        Span<byte> address = stackalloc byte[MaxPath + 3];
        var length = Address(path, address);
        fixed (byte* start = address)
        {
            if (IoCalls.connect(socket, start, length) == 0)
                return socket;
        }
        var errno = Errno.Last;
        socket.Dispose();
        return errno is ECONNREFUSED or Errno.ENOENT or Errno.ENOTDIR or Errno.EAGAIN ? null : throw Errno.Fault(errno, "connect", path);
    }

    /// <summary>The next connection, non-blocking unless told; null when none waits.</summary>
    public static SafeFileHandle? TryAccept(SafeFileHandle listener)
    {
        while (true)
        {
            var connection = IoCalls.accept4(listener, null, null, IoCalls.SOCK_CLOEXEC | IoCalls.SOCK_NONBLOCK);
            if (connection >= 0)
                return new(connection, ownsHandle: true);
            var errno = Errno.Last;
            const int ECONNABORTED = 103;
            if (errno is Errno.EAGAIN or Errno.EMFILE or 23 or Errno.ENOMEM)
                return null;
            if (errno is not (Errno.EINTR or ECONNABORTED))
                throw Errno.Fault(errno, "accept4");
        }
    }

    /// <summary>The peer reads an end after what was sent, though other descriptors of this socket stay open; shutdown(2).</summary>
    public static void EndWriting(SafeFileHandle socket) => _ = IoCalls.shutdown(socket, IoCalls.SHUT_WR);

    /// <summary>A descriptor sent with SCM_RIGHTS (OCI runtimes send the terminal's master so); null when nothing is there yet.</summary>
    /// <exception cref="FaultException">Internal, <c>socket.no-descriptor</c>: the peer closed, or sent something else.</exception>
    public static SafeFileHandle? TryReceiveDescriptor(SafeFileHandle connection)
    {
        var payload = stackalloc byte[4096];
        // struct cmsghdr: length (8), level (4), type (4), then the descriptor.
        var control = stackalloc byte[64];
        var vector = new IoCalls.IoVector { Base = payload, Length = 4096 };
        var message = new IoCalls.MessageHeader { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = 64 };
        nint count;
        do
        {
            count = IoCalls.recvmsg(connection, &message, IoCalls.MSG_CMSG_CLOEXEC);
        }
        while (count < 0 && Errno.Last == Errno.EINTR);
        if (count < 0)
            return Errno.Last == Errno.EAGAIN ? null : throw Errno.Fault("recvmsg");
        if (message.ControlLength < 20 || *(int*)(control + 8) != IoCalls.SOL_SOCKET || *(int*)(control + 12) != IoCalls.SCM_RIGHTS)
            throw new FaultException(FaultKind.Internal, "socket.no-descriptor", "The peer sent no descriptor.");
        return new(*(int*)(control + 16), ownsHandle: true);
    }

    private static SafeFileHandle Open(int flags) =>
        RawIo.Own(IoCalls.socket(IoCalls.AF_UNIX, IoCalls.SOCK_STREAM | IoCalls.SOCK_CLOEXEC | flags, 0), "socket");

    /// <summary>struct sockaddr_un: family (2), path, NUL.</summary>
    private static uint Address(string path, Span<byte> address)
    {
        if (Encoding.UTF8.GetByteCount(path) is var bytes && (bytes > MaxPath || bytes == 0))
            throw new FaultException(
                FaultKind.InvalidArgument, "socket.bad-path", $"A socket's path must have 1 to {MaxPath} bytes: {path}");
        address.Clear();
        address[BitConverter.IsLittleEndian ? 0 : 1] = IoCalls.AF_UNIX;
        return (uint)(2 + Encoding.UTF8.GetBytes(path, address[2..]) + 1);
    }
}
