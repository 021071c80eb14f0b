using Runtime.Faults;
using Runtime.Shim.Loops;

namespace Runtime.Shim.Tasks;

/// <summary>Kernel calls that can block for long (mounts) run on a thread of their own, which ends with them.</summary>
internal static class Worker
{
    private const int StackBytes = 256 * 1024;

    /// <summary>Calls <paramref name="done"/> on the loop, with the fault that the work threw.</summary>
    public static void Run(EventLoop loop, Action work, Action<RuntimeFault?> done) => new Thread(() =>
    {
        RuntimeFault? fault = null;
        try
        {
            work();
        }
        // Whatever it was is the answer to the call that asked for the work.
#pragma warning disable CA1031
        catch (Exception failed)
#pragma warning restore CA1031
        {
            fault = RuntimeFault.From(failed);
        }
        loop.Post(() => done(fault));
    }, StackBytes)
    { IsBackground = true }.Start();
}
