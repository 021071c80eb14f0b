using Microsoft.Win32.SafeHandles;

namespace Runtime.Linux.Namespaces;

/// <summary>Moves the calling thread for good: only for a thread that was started for this.</summary>
public static class ThreadNamespaces
{
    /// <summary>setns(2).</summary>
    public static void Enter(SafeFileHandle file, NamespaceKind kind, string path)
    {
        if (NamespaceCalls.setns(file, (int)kind) < 0)
            throw Errno.Fault("setns", path);
    }

    /// <summary>The next child of the calling thread is pid 1 of a new pid namespace; when it ends, the kernel ends the namespace.</summary>
    public static void NewPidNamespaceForChildren()
    {
        if (NamespaceCalls.unshare((int)NamespaceKind.Pid) < 0)
            throw Errno.Fault("unshare", "CLONE_NEWPID");
    }
}
