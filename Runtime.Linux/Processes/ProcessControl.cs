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

    /// <summary>What the calling thread executes from here on gains no privileges, PR_SET_NO_NEW_PRIVS (Linux 3.5).</summary>
    public static void RefuseNewPrivileges()
    {
        if (ProcessCalls.prctl(ProcessCalls.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
            throw Errno.Fault("prctl", "PR_SET_NO_NEW_PRIVS");
    }

    /// <summary>
    /// Gives up every capability of the calling thread for good: no new privileges, and empty permitted, effective and inheritable
    /// sets, capset(2).
    /// </summary>
    public static unsafe void DropPrivileges()
    {
        RefuseNewPrivileges();
        // struct __user_cap_header_struct: _LINUX_CAPABILITY_VERSION_3, this thread; then two sets of three words.
        Span<uint> header = [0x20080522, 0];
        Span<uint> sets = stackalloc uint[6];
        sets.Clear();
        fixed (uint* who = header, what = sets)
        {
            if (ProcessCalls.capset(who, what) < 0)
                throw Errno.Fault("capset");
        }
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
