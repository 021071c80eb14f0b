using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Runtime.Linux.Files;

/// <summary>Reads the entries of an open directory with getdents64(2), in the kernel's order, without <c>.</c> and <c>..</c>.</summary>
internal ref struct DirectoryReader(SafeFileHandle directory)
{
    private const int BufferSize = 32 * 1024;
    private const int NameOffset = 19;

    private byte[]? _buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
    private int _length;
    private int _next;

    /// <summary>With its NUL.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>Whether the file system said that it is a directory; false also where it does not say.</summary>
    public bool IsDirectory { get; private set; }

    /// <summary>struct linux_dirent64: ino u64, off s64, reclen u16 @16, type u8 @18, name @19.</summary>
    public unsafe bool Read()
    {
        while (true)
        {
            if (_next == _length)
            {
                nint count;
                fixed (byte* start = _buffer)
                    count = FileCalls.GetDents64(directory, start, BufferSize);
                if (count < 0 && Errno.Last == Errno.ENOENT)
                    return false; // the directory was removed while it is open
                if (count < 0)
                    throw Errno.Fault("getdents64", Descriptors.PathOf(directory));
                if (count == 0)
                    return false;
                _length = (int)count;
                _next = 0;
            }
            var entry = _buffer.AsSpan(_next, _length - _next);
            _next += MemoryMarshal.Read<ushort>(entry[16..]);
            var name = entry[NameOffset..];
            name = name[..(name.IndexOf((byte)0) + 1)];
            if (name is [(byte)'.', 0] or [(byte)'.', (byte)'.', 0])
                continue;
            Name = name;
            IsDirectory = entry[18] == 4;
            return true;
        }
    }

    public void Dispose()
    {
        if (_buffer is { } buffer)
            ArrayPool<byte>.Shared.Return(buffer);
        _buffer = null;
    }
}
