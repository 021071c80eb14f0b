using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Runtime.Linux.Io;

/// <summary>What a descriptor is watched for, epoll_ctl(2). Error and Hangup are always reported.</summary>
[Flags]
public enum EpollEvents : uint
{
    None = 0,
    In = 0x1,
    Priority = 0x2,
    Out = 0x4,
    Error = 0x8,
    Hangup = 0x10,
    PeerClosed = 0x2000,
}

/// <summary>Waits for many descriptors at once, level-triggered, epoll(7).</summary>
public sealed unsafe class Epoll : IDisposable
{
    private const int EPOLL_CTL_ADD = 1;
    private const int EPOLL_CTL_DEL = 2;
    private const int EPOLL_CTL_MOD = 3;

    // struct epoll_event is packed on x86-64 only: 4 + 8 bytes there, 4 + 4 (padding) + 8 elsewhere.
    private static readonly int DataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    private static readonly int EntryBytes = DataOffset + 8;

    private readonly SafeFileHandle _epoll = RawIo.Own(IoCalls.epoll_create1(IoCalls.O_CLOEXEC), "epoll_create1");

    /// <param name="token">Comes back with the events.</param>
    public void Add(SafeFileHandle file, EpollEvents events, ulong token) => Control(EPOLL_CTL_ADD, file, events, token);

    public void Change(SafeFileHandle file, EpollEvents events, ulong token) => Control(EPOLL_CTL_MOD, file, events, token);

    public void Remove(SafeFileHandle file) => Control(EPOLL_CTL_DEL, file, EpollEvents.None, 0);

    /// <summary>Waits for the first event; a signal ends the wait early, with none.</summary>
    /// <param name="timeoutMs">-1: as long as it takes.</param>
    /// <returns>The number of entries of <paramref name="ready"/> that are filled.</returns>
    public int Wait(Span<(ulong Token, EpollEvents Events)> ready, int timeoutMs)
    {
        Span<byte> buffer = stackalloc byte[EntryBytes * ready.Length];
        int count;
        fixed (byte* start = buffer)
            count = IoCalls.epoll_wait(_epoll, start, ready.Length, timeoutMs);
        if (count < 0)
            return Errno.Last == Errno.EINTR ? 0 : throw Errno.Fault("epoll_wait");
        for (var i = 0; i < count; i++)
        {
            var entry = buffer[(i * EntryBytes)..];
            ready[i] = (BinaryPrimitives.ReadUInt64LittleEndian(entry[DataOffset..]),
                (EpollEvents)BinaryPrimitives.ReadUInt32LittleEndian(entry));
        }
        return count;
    }

    public void Dispose() => _epoll.Dispose();

    private void Control(int operation, SafeFileHandle file, EpollEvents events, ulong token)
    {
        Span<byte> settings = stackalloc byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(settings, (uint)events);
        BinaryPrimitives.WriteUInt64LittleEndian(settings[DataOffset..], token);
        fixed (byte* start = settings)
        {
            if (IoCalls.epoll_ctl(_epoll, operation, file, start) < 0)
                throw Errno.Fault("epoll_ctl");
        }
    }
}
