using Microsoft.Win32.SafeHandles;

namespace Runtime.Linux.Io;

/// <summary>A counter that can be waited for, eventfd(2): wakes an event loop from another thread or from the kernel.</summary>
public sealed class EventFd : IDisposable
{
    public SafeFileHandle Handle { get; } = RawIo.Own(IoCalls.eventfd(0, IoCalls.O_CLOEXEC | IoCalls.O_NONBLOCK), "eventfd");

    public void Signal()
    {
        ReadOnlySpan<byte> one = BitConverter.IsLittleEndian ? [1, 0, 0, 0, 0, 0, 0, 0] : [0, 0, 0, 0, 0, 0, 0, 1];
        // NotReady: the counter is full, so the loop is awake anyway.
        _ = RawIo.TryWrite(Handle, one);
    }

    /// <summary>Back to zero; whether it was signalled.</summary>
    public bool Drain()
    {
        Span<byte> count = stackalloc byte[8];
        return RawIo.TryRead(Handle, count) == count.Length;
    }

    public void Dispose() => Handle.Dispose();
}
