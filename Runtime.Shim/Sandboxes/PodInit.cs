using Microsoft.Win32.SafeHandles;
using Runtime.Linux.Files;
using Runtime.Linux.Processes;

namespace Runtime.Shim.Sandboxes;

/// <summary>Pid 1 of a pod with a shared pid namespace: its orphans are reaped, and it ends on SIGTERM, as a pause process would.</summary>
internal static class PodInit
{
    /// <summary>Blocks until it is up. Its id.</summary>
    public static int Start(PodSandbox sandbox)
    {
        using var user = Open(sandbox.UserPath);
        using var network = Open(sandbox.NetworkPath);
        using var ipc = Open(sandbox.IpcPath);
        using var uts = Open(sandbox.UtsPath);
        return ForkedInit.Start(new InitNamespaces(user, network, ipc, uts));
    }

    private static SafeFileHandle? Open(string path) => path.Length > 0 ? Descriptors.Open(path, FileConstants.O_RDONLY) : null;
}
