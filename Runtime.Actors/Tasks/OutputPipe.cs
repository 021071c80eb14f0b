using System.IO.Pipes;
using Microsoft.Win32.SafeHandles;
using Runtime.Linux.Files;
using static Runtime.Linux.Files.FileConstants;

namespace Runtime.Actors.Tasks;

/// <summary>A FIFO that a foreign shim writes to and the daemon reads, waiting in epoll and not in a thread.</summary>
/// <remarks>
/// Opened for reading without blocking, it would end at once, as nobody writes yet: so an own writing end is kept until the
/// shim has opened its.
/// </remarks>
internal sealed class OutputPipe : IDisposable
{
    private readonly SafeFileHandle _ownEnd;

    public OutputPipe(string path)
    {
        Path = path;
        if (!File.Exists(path)) Inodes.MakeFifo(path, 0b110_000_000);
        var reading = Descriptors.Open(path, O_RDONLY | O_NONBLOCK);
        _ownEnd = Descriptors.Open(path, O_WRONLY | O_NONBLOCK);
        Stream = new AnonymousPipeClientStream(PipeDirection.In, new SafePipeHandle(reading.DangerousGetHandle(), ownsHandle: true));
        reading.SetHandleAsInvalid(); // the stream owns the descriptor now
    }

    public string Path { get; }

    public Stream Stream { get; }

    public void CloseOwnEnd() => _ownEnd.Dispose();

    public void Dispose()
    {
        _ownEnd.Dispose();
        Stream.Dispose();
    }
}
