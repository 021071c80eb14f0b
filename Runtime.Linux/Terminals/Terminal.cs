using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Runtime.Linux.Terminals;

/// <summary>The master side of a pseudo terminal, ioctl_tty(2).</summary>
public static unsafe partial class Terminal
{
    private const nuint TIOCSWINSZ = 0x5414;

    [StructLayout(LayoutKind.Sequential)]
    private struct WindowSize
    {
        public ushort Rows;
        public ushort Columns;
        public ushort WidthPixels;
        public ushort HeightPixels;
    }

    /// <summary>Sets the size in characters; the foreground process group gets SIGWINCH.</summary>
    public static void Resize(SafeFileHandle master, uint columns, uint rows)
    {
        var size = new WindowSize
        {
            Rows = (ushort)Math.Min(rows, ushort.MaxValue),
            Columns = (ushort)Math.Min(columns, ushort.MaxValue),
        };
        if (ioctl(master, TIOCSWINSZ, &size) < 0)
            throw Errno.Fault("ioctl", "TIOCSWINSZ");
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(SafeFileHandle file, nuint request, WindowSize* size);
}
