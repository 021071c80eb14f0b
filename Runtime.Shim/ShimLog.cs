using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Linux.Io;

namespace Runtime.Shim;

/// <summary>
/// The shim's own log: the bundle's <c>log</c> FIFO where the daemon made one, else a file <c>shim.log</c>. It never blocks: what
/// a FIFO does not take is dropped, and the file ends at a fixed size.
/// </summary>
internal sealed class ShimLog
{
    private const int MaxFileBytes = 256 * 1024;

    private readonly SafeFileHandle? _file;
    private readonly bool _isDebug;
    private readonly Lock _lock = new();
    private int _left = int.MaxValue;

    public ShimLog(string bundle, bool isDebug)
    {
        _isDebug = isDebug;
        try
        {
            var fifo = Path.Combine(bundle, "log");
            var isFifo = FileStatus.TryOf(fifo) is { } status && (status.Mode & FileConstants.S_IFMT) == FileConstants.S_IFIFO;
            // Both ends: so it opens without a reader, and a reader that goes away and comes back finds it.
            _file = isFifo
                ? Descriptors.Open(fifo, FileConstants.O_RDWR | FileConstants.O_NONBLOCK)
                : Descriptors.Open(
                    Path.Combine(bundle, "shim.log"),
                    FileConstants.O_WRONLY | FileConstants.O_CREAT | FileConstants.O_APPEND | FileConstants.O_NOFOLLOW, 0b110_000_000);
            if (!isFifo)
                _left = MaxFileBytes;
        }
        catch (FaultException)
        {
            // A shim without a log is better than none; its calls still answer their faults.
        }
    }

    public void Debug(string message)
    {
        if (_isDebug)
            Write("debug", message);
    }

    public void Info(string message) => Write("info", message);

    public void Warning(string message) => Write("warning", message);

    public void Defect(Exception defect) => Write("error", defect is FaultException fault ? fault.Message : defect.ToString());

    private void Write(string level, string message)
    {
        if (_file is null)
            return;
        var time = DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
        var line = Encoding.UTF8.GetBytes($"time=\"{time}\" level={level} msg=\"{message.Replace('"', '\'').Replace("\n", " | ", StringComparison.Ordinal)}\"\n");
        lock (_lock)
        {
            if (line.Length > _left)
                return;
            _left -= line.Length;
            _ = RawIo.TryWrite(_file, line);
        }
    }
}
