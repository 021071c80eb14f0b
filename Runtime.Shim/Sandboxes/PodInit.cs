using Runtime.Linux.Io;
using Runtime.Linux.Processes;

namespace Runtime.Shim.Sandboxes;

/// <summary>Pid 1 of a pod with a shared pid namespace: it reaps orphans and ends on SIGTERM, as a pause process would.</summary>
internal static class PodInit
{
    private const string Name = "actord-pod";

    /// <summary>From a thread that is in the pod's namespaces, the pid namespace for children among them.</summary>
    public static int Spawn() => Spawner.Spawn(new("/proc/self/exe", [Name, "init"])
    {
        Environment = [],
        WorkingDirectory = "/",
        NewSession = true,
        BlockedSignals = [Signals.SIGCHLD, Signals.SIGTERM, Signals.SIGINT],
    });

    public static int Run()
    {
        using var signals = new Signals(Signals.SIGCHLD, Signals.SIGTERM, Signals.SIGINT);
        ProcessControl.DropPrivileges();
        using var epoll = new Epoll();
        epoll.Add(signals.Handle, EpollEvents.In, 0);
        Span<(ulong Token, EpollEvents Events)> ready = stackalloc (ulong, EpollEvents)[1];
        while (true)
        {
            while (Children.TryReapAny(out _)) { }
            epoll.Wait(ready, -1);
            for (var signal = signals.TryTake(); signal != 0; signal = signals.TryTake())
            {
                if (signal != Signals.SIGCHLD)
                    return 0;
            }
        }
    }
}
