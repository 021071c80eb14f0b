using System.Buffers.Binary;

namespace Runtime.Linux.Processes;

/// <summary>How a process ended.</summary>
/// <param name="Signal">0 for one that exited by itself.</param>
/// <param name="Code">Exit code; 128 + signal for a killed process.</param>
public readonly record struct ChildExit(int Pid, int Code, int Signal);

/// <summary>Reaping, waitid(2).</summary>
public static unsafe class Children
{
    private const int ECHILD = 10;
    private const int CLD_EXITED = 1;

    /// <summary>Reaps one child that has ended; false where none has.</summary>
    public static bool TryReapAny(out ChildExit exit) => TryReap(ProcessCalls.P_ALL, 0, ProcessCalls.WNOHANG, out exit);

    /// <summary>Waits for a child's end and reaps it.</summary>
    /// <param name="isClone">It was made to end without SIGCHLD, clone(2).</param>
    /// <exception cref="Runtime.Faults.FaultException">NotFound where it is no child of this process.</exception>
    public static ChildExit Reap(int pid, bool isClone = false) => TryReap(ProcessCalls.P_PID, (uint)pid, isClone ? ProcessCalls.__WALL : 0, out var exit)
        ? exit
        : throw Errno.Fault(Errno.ESRCH, "waitid", $"process {pid}");

    private static bool TryReap(int kind, uint id, int options, out ChildExit exit)
    {
        // siginfo_t: signal (4), errno (4), code (4), padding (4), pid (4), uid (4), status (4).
        Span<byte> info = stackalloc byte[128];
        info.Clear();
        exit = default;
        fixed (byte* start = info)
        {
            while (ProcessCalls.waitid(kind, id, start, ProcessCalls.WEXITED | options) < 0)
            {
                var errno = Errno.Last;
                if (errno == ECHILD)
                    return false;
                if (errno != Errno.EINTR)
                    throw Errno.Fault(errno, "waitid");
            }
        }
        var pid = BinaryPrimitives.ReadInt32LittleEndian(info[16..]);
        var status = BinaryPrimitives.ReadInt32LittleEndian(info[24..]);
        if (pid == 0)
            return false;
        exit = BinaryPrimitives.ReadInt32LittleEndian(info[8..]) == CLD_EXITED ? new(pid, status, 0) : new(pid, 128 + status, status);
        return true;
    }
}
