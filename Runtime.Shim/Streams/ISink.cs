using Microsoft.Win32.SafeHandles;
using Runtime.Linux.Files;
using Runtime.Linux.Io;

namespace Runtime.Shim.Streams;

/// <summary>Where output goes. On the I/O loop only.</summary>
internal interface ISink
{
    /// <summary>How many bytes it took, <see cref="RawIo.NotReady"/>, or <see cref="RawIo.Broken"/> for never again.</summary>
    int Write(ReadOnlySpan<byte> bytes);

    /// <summary>What to wait for after NotReady; null for sinks that are always ready.</summary>
    SafeFileHandle? Waitable { get; }

    /// <summary>Nothing more will come.</summary>
    void End();
}

/// <summary>A FIFO, a terminal or a pipe, non-blocking.</summary>
internal sealed class DescriptorSink(SafeFileHandle file) : ISink
{
    public SafeFileHandle? Waitable => file;

    public int Write(ReadOnlySpan<byte> bytes) => RawIo.TryWrite(file, bytes);

    public void End() => file.Dispose();
}

/// <summary>A connection, non-blocking, of which other descriptors may be open.</summary>
internal sealed class SocketSink(SafeFileHandle socket) : ISink
{
    public SafeFileHandle? Waitable => socket;

    public int Write(ReadOnlySpan<byte> bytes) => RawIo.TrySend(socket, bytes);

    public void End()
    {
        UnixSocket.EndWriting(socket);
        socket.Dispose();
    }
}

/// <summary><c>file://</c>: raw bytes appended to a file. A full disk loses output; it never blocks a container.</summary>
internal sealed class FileSink(string path) : ISink
{
    private readonly SafeFileHandle _file = Open(path);

    public SafeFileHandle? Waitable => null;

    public int Write(ReadOnlySpan<byte> bytes)
    {
        for (var rest = bytes; !rest.IsEmpty;)
        {
            var count = RawIo.TryWrite(_file, rest);
            if (count <= 0)
                break;
            rest = rest[count..];
        }
        return bytes.Length;
    }

    public void End() => _file.Dispose();

    private static SafeFileHandle Open(string path)
    {
        if (Path.GetDirectoryName(path) is { Length: > 0 } directory)
            Directory.CreateDirectory(directory);
        return Descriptors.Open(path, FileConstants.O_WRONLY | FileConstants.O_CREAT | FileConstants.O_APPEND, 0b110_100_100);
    }
}

internal sealed class NullSink : ISink
{
    public static NullSink Instance { get; } = new();

    public SafeFileHandle? Waitable => null;

    public int Write(ReadOnlySpan<byte> bytes) => bytes.Length;

    public void End()
    {
    }
}
