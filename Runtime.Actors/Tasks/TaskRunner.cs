using Runtime.Actors.Shims;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Linux.Mounts;
using Runtime.Ttrpc.Actord;

namespace Runtime.Actors.Tasks;

/// <summary>
/// The shim's side of a container: its process, from start to deletion. Every call can be repeated, and goes on where an
/// earlier one was interrupted.
/// </summary>
/// <remarks>
/// Not an actor of its own: a task's truth is the shim, so an actor between would have nothing to own but a copy of it. The
/// container's actor persists the intentions and outcomes.
/// </remarks>
public sealed partial class TaskRunner(IShims shims, TaskOptions options, TimeProvider clock)
{
    /// <summary>Written by our shim before an exit is visible, when the kernel killed for want of memory.</summary>
    private const string OomMarker = "oom";

    private const uint SIGKILL = 9;
    private const int KilledCode = 128 + 9;
    private const int UnknownCode = 255;
    private const uint LogMode = 0b110_100_000;

    /// <summary>Starts the process; finds one that runs already, or has ended since.</summary>
    /// <exception cref="FaultException">Nothing of it is left running.</exception>
    public async Task<TaskStarted> RunAsync(TaskStart start, CancellationToken cancellation)
    {
        var (task, handler) = (start.Task, start.Handler);
        var type = handler.RuntimePath.Length > 0 ? handler.RuntimePath : handler.RuntimeType;
        var shim = await shims.StartAsync(new ShimStart(task.Space, task.Id, task.GroupId, type, handler.Options), cancellation);
        try
        {
            var stdout = OutputOf(start, shim);
            var running = await CreateOnceAsync(shim, start, stdout, cancellation);
            // Taken before: the process may have ended when the answer comes.
            var at = clock.GetUtcNow();
            return new TaskStarted(running ?? await shim.StartAsync(task.Id, "", cancellation), at);
        }
        catch (Exception) when (!cancellation.IsCancellationRequested)
        {
            await EndAsync(task, CancellationToken.None);
            throw;
        }
    }

    /// <summary>Waits, as long as it takes, for the end. A dead shim is an end too: what it left is cleaned up.</summary>
    public async Task<TaskExit> WatchAsync(TaskAddress task, CancellationToken stopping)
    {
        while (true)
        {
            try
            {
                var shim = await shims.ConnectAsync(task.Space, task.Id, stopping);
                return ExitOf(task, await shim.WaitAsync(task.Id, "", stopping));
            }
            catch (FaultException dead) when (dead.Fault.Code == "shim.dead")
            {
                return await ReapAsync(task, stopping);
            }
            catch (FaultException missing) when (missing.Fault.Kind == FaultKind.NotFound)
            {
                return Unknown("The pod's shim does not know the container any more.");
            }
            catch (FaultException silent) when (silent.Fault.Kind is FaultKind.Unavailable or FaultKind.DeadlineExceeded)
            {
                await Task.Delay(options.RetryPause, clock, stopping);
            }
        }
    }

    /// <summary>Sends a signal to the first process. One that has ended has got it.</summary>
    public async Task SignalAsync(TaskAddress task, uint signal, CancellationToken cancellation)
    {
        try
        {
            var shim = await shims.ConnectAsync(task.Space, task.Id, cancellation);
            await shim.KillAsync(task.Id, "", signal, all: signal == SIGKILL && task.SharesPids, cancellation);
        }
        catch (FaultException ended) when (IsGone(ended))
        {
            // The watch tells how.
        }
    }

    public Task KillAsync(TaskAddress task, CancellationToken cancellation) => SignalAsync(task, SIGKILL, cancellation);

    /// <summary>Deletes what the shim has of it, killing it first if it still runs. Null when there was nothing.</summary>
    public async Task<TaskExit?> EndAsync(TaskAddress task, CancellationToken cancellation)
    {
        // A task that was never started, or is deleted, has no shim: nothing is asked, and nothing runs.
        if (ShimBootstrap.TryRead(task.Bundle) is null && ShimBootstrap.BinaryOf(task.Bundle).Length == 0) return null;
        TaskExit? exit = null;
        try
        {
            var shim = await shims.ConnectAsync(task.Space, task.Id, cancellation);
            exit = await DeleteAsync(shim, task, cancellation);
        }
        catch (FaultException missing) when (missing.Fault.Kind == FaultKind.NotFound)
        {
            // Deleted before, when the daemon ended.
        }
        catch (FaultException dead) when (dead.Fault.Code == "shim.dead")
        {
            return await ReapAsync(task, cancellation);
        }
        ShimBootstrap.Forget(task.Bundle);
        return exit;
    }

    /// <summary>Ends it, and removes its bundle.</summary>
    public async Task<TaskExit?> DestroyAsync(TaskAddress task, CancellationToken cancellation)
    {
        var exit = await EndAsync(task, cancellation);
        if (!Directory.Exists(task.Bundle)) return exit;
        Mounter.UnmountTree(task.Bundle, lazy: true);
        DirectoryTree.Delete(task.Bundle);
        return exit;
    }

    /// <summary>The shim writes on in a new file at the log's path.</summary>
    public async Task ReopenLogAsync(TaskAddress task, CancellationToken cancellation)
    {
        var shim = await shims.ConnectAsync(task.Space, task.Id, cancellation);
        await shim.ReopenLogAsync(task.Id, cancellation);
    }

    private static bool IsGone(FaultException fault) => fault.Fault.Kind == FaultKind.NotFound || fault.Fault.Code == "shim.dead";

    /// <summary>Where the output goes: our own shim writes the log itself, so that it never waits for this daemon.</summary>
    private string OutputOf(TaskStart start, IShim shim)
    {
        if (!shim.IsNative && (start.LogPath.Length > 0 || start.Terminal || start.Stdin))
            throw new FaultException(FaultKind.Unimplemented, "task.foreign-shim-io",
                $"Container {start.Task.Id}: logs and terminals need the shim {ShimBinaries.Native}; {start.Handler.RuntimeType} has another.");
        if (start.LogPath.Length == 0) return TargetOf(shim.IsNative);
        Directory.CreateDirectory(Path.GetDirectoryName(start.LogPath)!);
        using (var log = Descriptors.Open(start.LogPath, FileConstants.O_WRONLY | FileConstants.O_CREAT | FileConstants.O_APPEND | FileConstants.O_NOCTTY, LogMode))
            Inodes.ChangeMode(log, LogMode);
        return new CriLogUri(start.LogPath, options.LogLineBytesMax, options.LogBytesMax, start.Terminal).ToString();
    }

    private static async Task<uint?> CreateOnceAsync(IShim shim, TaskStart start, string stdout, CancellationToken cancellation)
    {
        var task = start.Task;
        try
        {
            await shim.CreateAsync(
                new TaskCreate(task.Id, task.Bundle, start.Rootfs, TargetOf(start.Stdin), stdout, start.Terminal ? "" : stdout, start.Terminal, start.Handler.Options),
                cancellation);
            return null;
        }
        catch (FaultException exists) when (exists.Fault.Kind == FaultKind.AlreadyExists)
        {
            // Made before the daemon ended. What has been started by then must not be started again.
            var state = await shim.StateAsync(task.Id, "", cancellation);
            return state.Status == ProcessStatus.Created ? null : state.Pid;
        }
    }

    private async Task<TaskExit> DeleteAsync(IShim shim, TaskAddress task, CancellationToken cancellation)
    {
        try
        {
            return ExitOf(task, await shim.DeleteAsync(task.Id, "", cancellation));
        }
        catch (FaultException running) when (running.Fault.Kind == FaultKind.FailedPrecondition)
        {
            await SignalAsync(task, SIGKILL, cancellation);
            await EndedAsync(shim, task, "", cancellation);
            return ExitOf(task, await shim.DeleteAsync(task.Id, "", cancellation));
        }
    }

    private async Task<ProcessExit> EndedAsync(IShim shim, TaskAddress task, string execId, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(options.KillTimeout);
        try
        {
            return await shim.WaitAsync(task.Id, execId, limit.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new FaultException(FaultKind.DeadlineExceeded, "task.unkillable",
                $"Container {task.Id}: its process is not gone {options.KillTimeout} after SIGKILL; it may be in an uninterruptible system call.");
        }
    }

    /// <summary>Cleans up after a dead shim. Ours keeps an exit in the bundle until its task is deleted.</summary>
    private async Task<TaskExit> ReapAsync(TaskAddress task, CancellationToken cancellation)
    {
        var kept = KeptExit.TryRead(task.Bundle, "") is { } exit ? ExitOf(task, exit) : null;
        await shims.CleanUpAsync(task.Space, task.Id, cancellation);
        return kept ?? Unknown("The pod's shim died; what was left of the container was killed.");
    }

    private static TaskExit ExitOf(TaskAddress task, ProcessExit exit) => new(
        (int)exit.Code, exit.At, exit.Code == KilledCode && File.Exists(Path.Combine(task.Bundle, OomMarker)), "");

    private TaskExit Unknown(string cause) => new(UnknownCode, clock.GetUtcNow(), false, cause);
}
