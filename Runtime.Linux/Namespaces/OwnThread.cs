using System.Runtime.ExceptionServices;

namespace Runtime.Linux.Namespaces;

/// <summary>
/// Runs work on a new thread that ends with it. Namespaces and the working directory belong to a kernel thread: a pool thread
/// that changed them would carry them into other work.
/// </summary>
internal static class OwnThread
{
    private const int StackBytes = 512 * 1024;

    /// <summary>Blocks the caller until the work is done; what the work throws is thrown here.</summary>
    public static T Run<T>(Func<T> work)
    {
        T? result = default;
        ExceptionDispatchInfo? failure = null;
        var thread = Start(() => result = work(), cause => failure = ExceptionDispatchInfo.Capture(cause));
        thread.Join();
        failure?.Throw();
        return result!;
    }

    /// <summary>Continuations run on the pool, never on the thread.</summary>
    public static Task<T> RunAsync<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Start(() => done.SetResult(work()), done.SetException);
        return done.Task;
    }

    private static Thread Start(Action work, Action<Exception> failed)
    {
        var thread = new Thread(() =>
        {
            try
            {
                work();
            }
            // Every failure is the caller's: it is thrown again there.
#pragma warning disable CA1031
            catch (Exception cause)
#pragma warning restore CA1031
            {
                failed(cause);
            }
        }, StackBytes)
        { IsBackground = true, Name = "namespace" };
        thread.UnsafeStart();
        return thread;
    }
}
