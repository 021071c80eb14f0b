using System.Runtime.InteropServices;

namespace Runtime.Cli.Streaming;

/// <summary>
/// This program's terminal, handing over every key as it is typed, termios(3); as it was again after Dispose, also when the
/// program is told to end.
/// </summary>
internal sealed unsafe partial class RawTerminal : IDisposable
{
    private const int StandardInput = 0;
    private const int TCSADRAIN = 1;
    private const nuint TIOCGWINSZ = 0x5413;

    /// <summary>Of glibc's and musl's struct termios, rounded up.</summary>
    private const int TermiosBytes = 128;

    private readonly byte[] _before = new byte[TermiosBytes];

    private RawTerminal()
    {
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct WindowSize
    {
        public ushort Rows;
        public ushort Columns;
        public ushort WidthPixels;
        public ushort HeightPixels;
    }

    public static int Columns => Size().Columns;

    public static int Rows => Size().Rows;

    /// <exception cref="CommandException">Standard input is no terminal.</exception>
    public static RawTerminal Enter()
    {
        var terminal = new RawTerminal();
        var raw = new byte[TermiosBytes];
        fixed (byte* before = terminal._before, changed = raw)
        {
            if (tcgetattr(StandardInput, before) != 0) throw new CommandException("standard input is no terminal; leave -t away");
            terminal._before.CopyTo(raw, 0);
            cfmakeraw(changed);
            if (tcsetattr(StandardInput, TCSADRAIN, changed) != 0) throw new CommandException("the terminal cannot be made raw");
        }
        return terminal;
    }

    /// <summary>Calls <paramref name="changed"/> with columns and rows at each change, until disposed.</summary>
    public static IDisposable OnResize(Action<int, int> changed) => PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => changed(Columns, Rows));

    public void Dispose()
    {
        fixed (byte* before = _before)
            _ = tcsetattr(StandardInput, TCSADRAIN, before);
    }

    private static WindowSize Size()
    {
        WindowSize size;
        return ioctl(StandardInput, TIOCGWINSZ, &size) == 0 && size.Columns > 0 ? size : new WindowSize { Columns = 80, Rows = 24 };
    }

    [LibraryImport("libc")]
    private static partial int tcgetattr(int descriptor, byte* settings);

    [LibraryImport("libc")]
    private static partial int tcsetattr(int descriptor, int actions, byte* settings);

    [LibraryImport("libc")]
    private static partial void cfmakeraw(byte* settings);

    [LibraryImport("libc")]
    private static partial int ioctl(int descriptor, nuint request, WindowSize* size);
}
