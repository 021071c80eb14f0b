using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Runtime.Faults;

namespace Runtime.Linux.Namespaces;

/// <summary>The loopback interface of a network namespace.</summary>
public static class Loopback
{
    private const int NETLINK_ROUTE = 0;
    private const ushort RTM_NEWLINK = 16;
    private const ushort NLM_F_REQUEST = 1;
    private const ushort NLM_F_ACK = 4;
    private const ushort NLMSG_ERROR = 2;
    private const uint IFF_UP = 1;

    /// <summary>Brings <c>lo</c> up in the network namespace that the calling thread is in: 127.0.0.1 and ::1 come with it.</summary>
    public static void Up()
    {
        var fd = NamespaceCalls.socket(
            NamespaceCalls.AF_NETLINK, NamespaceCalls.SOCK_RAW | NamespaceCalls.SOCK_CLOEXEC, NETLINK_ROUTE);
        if (fd < 0)
            throw Errno.Fault("socket", "NETLINK_ROUTE");
        using var socket = new SafeFileHandle(fd, ownsHandle: true);
        Send(socket);
        Acknowledge(socket);
    }

    /// <summary>Brings <c>lo</c> up in a pinned network namespace.</summary>
    public static void Up(string networkNamespace) => NamespacePin.Run(NamespaceKind.Network, networkNamespace, Up);

    /// <summary>
    /// rtnetlink(7): nlmsghdr { u32 length, u16 type, u16 flags, u32 sequence, u32 port }, ifinfomsg { u8 family, u8, u16 type,
    /// s32 index, u32 flags, u32 change }. In every network namespace lo has the index 1.
    /// </summary>
    private static unsafe void Send(SafeFileHandle socket)
    {
        const int length = 32;
        Span<byte> message = stackalloc byte[length];
        message.Clear();
        MemoryMarshal.Write(message, length);
        MemoryMarshal.Write(message[4..], RTM_NEWLINK);
        MemoryMarshal.Write(message[6..], (ushort)(NLM_F_REQUEST | NLM_F_ACK));
        MemoryMarshal.Write(message[8..], 1u);
        MemoryMarshal.Write(message[20..], 1);
        MemoryMarshal.Write(message[24..], IFF_UP);
        MemoryMarshal.Write(message[28..], IFF_UP);
        fixed (byte* start = message)
        {
            if (NamespaceCalls.send(socket, start, length, 0) != length)
                throw Errno.Fault("send", "RTM_NEWLINK lo");
        }
    }

    /// <summary>nlmsgerr: after the header, a negative errno; 0 for success.</summary>
    private static unsafe void Acknowledge(SafeFileHandle socket)
    {
        Span<byte> reply = stackalloc byte[1024];
        nint count;
        fixed (byte* start = reply)
        {
            do
            {
                count = NamespaceCalls.recv(socket, start, (nuint)reply.Length, 0);
            }
            while (count < 0 && Errno.Last == Errno.EINTR);
        }
        if (count < 0)
            throw Errno.Fault("recv", "RTM_NEWLINK lo");
        if (count < 20 || BinaryPrimitives.ReadUInt16LittleEndian(reply[4..]) != NLMSG_ERROR)
            throw new FaultException(FaultKind.Internal, "network.bad-reply", "The kernel's answer to RTM_NEWLINK is no acknowledgement.");
        var error = MemoryMarshal.Read<int>(reply[16..]);
        if (error != 0)
            throw Errno.Fault(-error, "RTM_NEWLINK", "lo");
    }
}
