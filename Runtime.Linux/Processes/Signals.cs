using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using Runtime.Linux.Io;

namespace Runtime.Linux.Processes;

/// <summary>Signals as descriptors, signalfd(2), and the mask that makes that work.</summary>
public sealed unsafe class Signals : IDisposable
{
    public const int SIGINT = 2;
    public const int SIGKILL = 9;
    public const int SIGPIPE = 13;
    public const int SIGTERM = 15;
    public const int SIGCHLD = 17;

    /// <summary>signal(7): 1 to 31, and the real-time signals up to 64.</summary>
    public const int Max = 64;

    /// <summary>sigset_t of the C library has 128 bytes.</summary>
    internal const int MaskBytes = 128;

    private const int InfoBytes = 128;

    public SafeFileHandle Handle { get; }

    /// <summary>
    /// Blocks the signals for the calling thread and opens a descriptor for them. All threads must block them: have them
    /// blocked in the process that starts this one, see <see cref="SpawnRequest.BlockedSignals"/>.
    /// </summary>
    public Signals(params ReadOnlySpan<int> signals)
    {
        var mask = stackalloc byte[MaskBytes];
        Fill(mask, signals);
        _ = ProcessCalls.pthread_sigmask(ProcessCalls.SIG_BLOCK, mask, null);
        Handle = RawIo.Own(ProcessCalls.signalfd(-1, mask, IoCalls.O_CLOEXEC | IoCalls.O_NONBLOCK), "signalfd");
    }

    /// <summary>The number of a signal that came; 0 for none. Several of a kind can come as one.</summary>
    public int TryTake()
    {
        Span<byte> info = stackalloc byte[InfoBytes];
        return RawIo.TryRead(Handle, info) == InfoBytes ? BinaryPrimitives.ReadInt32LittleEndian(info) : 0;
    }

    public void Dispose() => Handle.Dispose();

    internal static void Fill(byte* mask, ReadOnlySpan<int> signals)
    {
        _ = ProcessCalls.sigemptyset(mask);
        foreach (var signal in signals)
            _ = ProcessCalls.sigaddset(mask, signal);
    }
}
