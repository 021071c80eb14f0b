using Microsoft.Win32.SafeHandles;

namespace Runtime.Linux.Io;

/// <summary>Reads and writes that may have to wait, and owners for raw descriptors.</summary>
public static unsafe class RawIo
{
    /// <summary>Of <see cref="TryRead"/> and <see cref="TryWrite"/>: the descriptor is not ready.</summary>
    public const int NotReady = -1;

    /// <summary>Of <see cref="TryRead"/> and <see cref="TryWrite"/>: nobody is at the other end, or the device is gone.</summary>
    public const int Broken = -2;

    /// <summary>Takes over a raw descriptor that a call answered.</summary>
    public static SafeFileHandle Own(int descriptor, string syscall, string? path = null) =>
        descriptor >= 0 ? new(descriptor, ownsHandle: true) : throw Errno.Fault(syscall, path);

    /// <summary>A descriptor that this process inherited under a known number.</summary>
    /// <remarks>Closed in programs that this one starts.</remarks>
    public static SafeFileHandle Inherited(int descriptor)
    {
        var file = new SafeFileHandle(descriptor, ownsHandle: true);
        return IoCalls.fcntl(file, IoCalls.F_SETFD, IoCalls.FD_CLOEXEC) == 0 ? file : throw Errno.Fault("fcntl", "F_SETFD");
    }

    /// <summary>
    /// What the starter of this process left open by mistake is not passed on, close_range(2) with CLOSE_RANGE_CLOEXEC (Linux 5.11;
    /// older kernels pass it on).
    /// </summary>
    public static void KeepInheritedFromChildren()
    {
        const int FirstAfterStandard = 3;
        const uint CLOSE_RANGE_CLOEXEC = 4;
        _ = IoCalls.close_range(FirstAfterStandard, uint.MaxValue, CLOSE_RANGE_CLOEXEC);
    }

    /// <summary>The count of bytes, 0 at the end, <see cref="NotReady"/> or <see cref="Broken"/>.</summary>
    public static int TryRead(SafeFileHandle file, Span<byte> into)
    {
        fixed (byte* start = into)
        {
            while (true)
            {
                var count = IoCalls.read(file, start, (nuint)into.Length);
                if (count >= 0)
                    return (int)count;
                var errno = Errno.Last;
                if (errno == Errno.EAGAIN)
                    return NotReady;
                if (errno != Errno.EINTR)
                    return Broken;
            }
        }
    }

    /// <summary>The count of bytes taken, <see cref="NotReady"/> or <see cref="Broken"/>; errno stays readable.</summary>
    public static int TryWrite(SafeFileHandle file, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            while (true)
            {
                var count = IoCalls.write(file, start, (nuint)bytes.Length);
                if (count >= 0)
                    return (int)count;
                var errno = Errno.Last;
                if (errno == Errno.EAGAIN)
                    return NotReady;
                if (errno != Errno.EINTR)
                    return Broken;
            }
        }
    }

    /// <summary>As <see cref="TryWrite"/>, on a socket: no SIGPIPE.</summary>
    public static int TrySend(SafeFileHandle socket, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            while (true)
            {
                var count = IoCalls.send(socket, start, (nuint)bytes.Length, IoCalls.MSG_NOSIGNAL);
                if (count >= 0)
                    return (int)count;
                var errno = Errno.Last;
                if (errno == Errno.EAGAIN)
                    return NotReady;
                if (errno != Errno.EINTR)
                    return Broken;
            }
        }
    }

    /// <summary>Another descriptor of the same open file.</summary>
    public static SafeFileHandle Duplicate(SafeFileHandle file) =>
        Own(IoCalls.fcntl(file, IoCalls.F_DUPFD_CLOEXEC, 3), "fcntl", "F_DUPFD_CLOEXEC");

    /// <summary>Reads and writes answer <see cref="NotReady"/> from here on, for all descriptors of the open file.</summary>
    public static void SetNonBlocking(SafeFileHandle file)
    {
        var flags = IoCalls.fcntl(file, IoCalls.F_GETFL, 0);
        if (flags < 0 || IoCalls.fcntl(file, IoCalls.F_SETFL, flags | IoCalls.O_NONBLOCK) < 0)
            throw Errno.Fault("fcntl", "O_NONBLOCK");
    }

    /// <summary>A pipe, pipe2(2); both ends block unless set otherwise.</summary>
    public static (SafeFileHandle Read, SafeFileHandle Write) Pipe()
    {
        var both = stackalloc int[2];
        return IoCalls.pipe2(both, IoCalls.O_CLOEXEC) == 0
            ? (new(both[0], ownsHandle: true), new(both[1], ownsHandle: true))
            : throw Errno.Fault("pipe2");
    }

    /// <summary>Waits until a read would not wait, poll(2); false when the time is up.</summary>
    public static bool WaitReadable(SafeFileHandle file, int timeoutMs)
    {
        var entry = new IoCalls.PollDescriptor { File = (int)file.DangerousGetHandle(), Events = IoCalls.POLLIN };
        var count = IoCalls.poll(&entry, 1, timeoutMs);
        GC.KeepAlive(file);
        return count >= 0 || Errno.Last == Errno.EINTR ? count > 0 : throw Errno.Fault("poll");
    }

    /// <summary>Makes a FIFO, mkfifo(3), unless one is there.</summary>
    public static void MakeFifo(string path, uint mode)
    {
        if (IoCalls.mkfifo(path, mode) < 0 && Errno.Last != Errno.EEXIST)
            throw Errno.Fault("mkfifo", path);
    }
}
