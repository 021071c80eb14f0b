using Microsoft.Win32.SafeHandles;
using Runtime.Shim.Loops;

namespace Runtime.Shim.Streams;

/// <summary>A container's output beside its log: to whoever is attached, from then on. The log sets the pace, never a reader.</summary>
internal sealed class OutputTee(EventLoop loop, ISink main) : ISink
{
    private readonly List<AttachedReader> _readers = [];
    private bool _isEnded;

    public SafeFileHandle? Waitable => main.Waitable;

    public int Write(ReadOnlySpan<byte> bytes)
    {
        var taken = main.Write(bytes);
        // Backwards: one that breaks leaves the list.
        for (var i = _readers.Count - 1; i >= 0 && taken > 0; i--)
            _readers[i].Write(bytes[..taken]);
        return taken;
    }

    /// <param name="socket">Non-blocking; owned from here on.</param>
    public void Add(SafeFileHandle socket)
    {
        if (_isEnded)
            socket.Dispose();
        else
            _readers.Add(new AttachedReader(loop, socket, closed => _readers.Remove(closed)));
    }

    public void End()
    {
        if (_isEnded)
            return;
        _isEnded = true;
        main.End();
        for (var i = _readers.Count - 1; i >= 0; i--)
            _readers[i].End();
    }
}
