namespace Runtime.Linux.Processes;

/// <summary>Calls about this process, its threads, and others by number.</summary>
public static class ProcessControl
{
    /// <summary>Orphans below this process become its children instead of init's, PR_SET_CHILD_SUBREAPER (Linux 3.4).</summary>
    public static void BecomeSubreaper()
    {
        if (ProcessCalls.prctl(ProcessCalls.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
            throw Errno.Fault("prctl", "PR_SET_CHILD_SUBREAPER");
    }

    /// <summary>The kernel's number of the calling thread: it has a directory under /proc like a process.</summary>
    public static int ThreadId => ProcessCalls.gettid();

    /// <summary>Sends a signal; false where the process is gone. Safe for children only: another's number may be used again.</summary>
    /// <exception cref="Runtime.Faults.FaultException">InvalidArgument for a signal that does not exist.</exception>
    public static bool TrySignal(int pid, int signal)
    {
        if (pid <= 0)
            throw Errno.Fault(Errno.EINVAL, "kill", $"process {pid}");
        if (ProcessCalls.kill(pid, signal) == 0)
            return true;
        var errno = Errno.Last;
        return errno == Errno.ESRCH ? false : throw Errno.Fault(errno, "kill", $"process {pid}, signal {signal}");
    }

    /// <summary>Sends a signal to a whole process group; false where there is no such group.</summary>
    /// <param name="leader">The group's number: the process that founded it, as setsid(2) makes it.</param>
    public static bool TrySignalGroup(int leader, int signal)
    {
        if (leader <= 1) // -1 is everybody
            throw Errno.Fault(Errno.EINVAL, "kill", $"process group {leader}");
        if (ProcessCalls.kill(-leader, signal) == 0)
            return true;
        var errno = Errno.Last;
        return errno == Errno.ESRCH ? false : throw Errno.Fault(errno, "kill", $"process group {leader}, signal {signal}");
    }
}
