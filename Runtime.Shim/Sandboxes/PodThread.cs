using Microsoft.Win32.SafeHandles;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Linux.Namespaces;
using Runtime.Linux.Processes;
using Runtime.Shim.Loops;

namespace Runtime.Shim.Sandboxes;

/// <summary>
/// A thread that sits in the pod's network namespace. Its id is the pod's pid for cAdvisor, which reads /proc/ID/net/dev; for a pod
/// with a shared pid namespace it only starts that namespace's pid 1, which takes its place.
/// </summary>
internal sealed class PodThread
{
    private const int StackBytes = 128 * 1024;

    private readonly ManualResetEventSlim _stop = new();

    /// <summary>Calls <paramref name="started"/> on the loop, with the thread's id and that of the pid 1 (0 for none).</summary>
    public static PodThread Start(EventLoop loop, PodSandbox sandbox, Action<int, int, RuntimeFault?> started)
    {
        var pod = new PodThread();
        new Thread(() => pod.Run(loop, sandbox, started), StackBytes) { IsBackground = true, Name = "pod" }.Start();
        return pod;
    }

    /// <summary>Lets the thread end; it leaves the namespaces with that.</summary>
    public void Stop() => _stop.Set();

    private void Run(EventLoop loop, PodSandbox sandbox, Action<int, int, RuntimeFault?> started)
    {
        var (thread, init) = (ProcessControl.ThreadId, 0);
        try
        {
            if (sandbox.HasSharedPids)
                init = PodInit.Start(sandbox);
            else
                Enter(sandbox.NetworkPath, NamespaceKind.Network);
        }
        // Whatever it was is StartSandbox' answer.
#pragma warning disable CA1031
        catch (Exception failed)
#pragma warning restore CA1031
        {
            loop.Post(() => started(0, 0, RuntimeFault.From(failed)));
            return;
        }
        loop.Post(() => started(thread, init, null));
        _stop.Wait();
    }

    private static void Enter(string path, NamespaceKind kind)
    {
        if (path.Length == 0)
            return;
        using SafeFileHandle file = Descriptors.Open(path, FileConstants.O_RDONLY);
        ThreadNamespaces.Enter(file, kind, path);
    }
}
