using System.IO.Pipes;
using Microsoft.Win32.SafeHandles;
using Runtime.Linux.Files;
using static Runtime.Linux.Files.FileConstants;

namespace Runtime.Actors.Tasks;

/// <summary>
/// A FIFO that a shim writes to and the daemon reads, waiting in epoll and not in a thread. It is read from the start, up to
/// a limit and then dropped, so that who writes never waits for long.
/// </summary>
/// <remarks>
/// Opened for reading without blocking, it would end at once, as nobody writes yet: so an own writing end is kept until the
/// shim has opened its.
/// </remarks>
internal sealed class OutputPipe : IDisposable
{
    private const int BufferBytes = 64 * 1024; // a pipe's own size

    private readonly MemoryStream _kept = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly SafeFileHandle _ownEnd;
    private readonly AnonymousPipeClientStream _stream;
    private readonly Task _reading;
    private readonly int _bytesMax;

    public OutputPipe(string path, int bytesMax)
    {
        Path = path;
        _bytesMax = bytesMax;
        Inodes.MakeFifo(path, 0b110_000_000);
        var reading = Descriptors.Open(path, O_RDONLY | O_NONBLOCK);
        _ownEnd = Descriptors.Open(path, O_WRONLY | O_NONBLOCK);
        _stream = new AnonymousPipeClientStream(PipeDirection.In, new SafePipeHandle(reading.DangerousGetHandle(), ownsHandle: true));
        reading.SetHandleAsInvalid(); // the stream owns the descriptor now
        _reading = ReadAsync();
    }

    public string Path { get; }

    public ReadOnlyMemory<byte> Bytes => _kept.GetBuffer().AsMemory(0, (int)_kept.Length);

    public void CloseOwnEnd() => _ownEnd.Dispose();

    /// <summary>Waits for the end of the stream; after the cancellation, takes what there is.</summary>
    public async Task EndAsync(CancellationToken limit)
    {
        using var stop = limit.Register(_stopping.Cancel);
        await _reading;
    }

    public void Dispose()
    {
        _ownEnd.Dispose();
        _stopping.Cancel();
        _stream.Dispose();
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[BufferBytes];
        try
        {
            while (await _stream.ReadAsync(buffer, _stopping.Token) is > 0 and var count)
                _kept.Write(buffer, 0, (int)Math.Min(count, _bytesMax - _kept.Length));
        }
        catch (Exception end) when (end is OperationCanceledException or ObjectDisposedException)
        {
            // A child keeps the stream open beyond the limit, or nobody wants the rest.
        }
    }
}
