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
}
