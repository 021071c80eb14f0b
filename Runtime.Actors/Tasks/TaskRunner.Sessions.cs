using System.Net.Sockets;
using Runtime.Actors.Shims;
using Runtime.Faults;
using Runtime.Ttrpc.Actord;

namespace Runtime.Actors.Tasks;

public sealed partial class TaskRunner
{
    /// <summary>Starts a command beside the first process, with its user, environment and limits, on streams of the session.</summary>
    public async Task<IProcessSession> OpenExecAsync(TaskExec exec, SessionStreams streams, CancellationToken cancellation)
    {
        var shim = await NativeShimAsync(exec.Task, cancellation);
        return await OpenExecAsync(shim, exec, streams, cancellation);
    }

    /// <summary>Joins the streams of a container's first process, from here on.</summary>
    public async Task<IProcessSession> OpenAttachAsync(TaskAttach attach, CancellationToken cancellation)
    {
        var shim = await NativeShimAsync(attach.Task, cancellation);
        var sockets = await ConnectAsync(shim, attach.Task.Id, "", attach.Streams, attach.ClosesStdin, cancellation);
        return new AttachSession(shim, attach, sockets, options, clock);
    }

    private async Task<ExecSession> OpenExecAsync(IShim shim, TaskExec exec, SessionStreams streams, CancellationToken cancellation)
    {
        var create = new ExecCreate(
            exec.Task.Id, exec.ExecId, ProcessOf(exec, streams.Terminal), TargetOf(streams.Stdin), TargetOf(streams.Stdout || streams.Terminal),
            TargetOf(streams.Stderr && !streams.Terminal), streams.Terminal);
        SessionSockets? sockets = null;
        try
        {
            // Also when it was cancelled and may have been added: an exec leaves nothing behind.
            await shim.ExecAsync(create, cancellation);
            sockets = await ConnectAsync(shim, exec.Task.Id, exec.ExecId, streams, closesStdin: false, cancellation);
            await shim.StartAsync(exec.Task.Id, exec.ExecId, cancellation);
            return new ExecSession(this, shim, exec, sockets, options, clock);
        }
        catch
        {
            sockets?.Dispose();
            await ForgetExecAsync(shim, exec);
            throw;
        }
    }

    private async Task<IShim> NativeShimAsync(TaskAddress task, CancellationToken cancellation)
    {
        var shim = await shims.ConnectAsync(task.Space, task.Id, cancellation);
        return shim.IsNative
            ? shim
            : throw new FaultException(FaultKind.Unimplemented, "task.foreign-shim-io",
                $"Container {task.Id}: exec with streams and attach need the shim {ShimBinaries.Native}.");
    }

    private static async Task<SessionSockets> ConnectAsync(
        IShim shim, string id, string execId, SessionStreams streams, bool closesStdin, CancellationToken cancellation)
    {
        var sockets = new SessionSockets(null, null, null);
        try
        {
            if (streams.Stdout || (streams.Terminal && execId.Length > 0))
                sockets = sockets with { Stdout = await OpenAsync(StreamKind.Stdout) };
            if (streams.Stderr && !streams.Terminal) sockets = sockets with { Stderr = await OpenAsync(StreamKind.Stderr) };
            if (streams.Stdin) sockets = sockets with { Stdin = await OpenAsync(StreamKind.Stdin) };
            return sockets;
        }
        catch
        {
            sockets.Dispose();
            throw;
        }

        Task<Socket> OpenAsync(StreamKind kind) => shim.OpenStreamAsync(
            new OpenStreamRequest { ContainerId = id, ExecId = execId, Kind = kind, ClosesStdin = closesStdin }, cancellation);
    }

    private static string TargetOf(bool isWanted) => isWanted ? StreamConnection.Target : "";

    private sealed class ExecSession(
        TaskRunner runner, IShim shim, TaskExec exec, SessionSockets sockets, TaskOptions options, TimeProvider clock)
        : ProcessSession(sockets, options, clock)
    {
        /// <summary>Its exit, whatever its streams do.</summary>
        public async Task<int> ProcessExitAsync(CancellationToken cancellation) =>
            (int)(await shim.WaitAsync(exec.Task.Id, exec.ExecId, cancellation)).Code;

        protected override async Task<int> ExitAsync(CancellationToken cancellation)
        {
            var code = await ProcessExitAsync(cancellation);
            await OutputEndedAsync(Options.ExecDrainTimeout, cancellation);
            return code;
        }

        protected override Task ResizeTerminalAsync(uint width, uint height, CancellationToken cancellation) =>
            shim.ResizeAsync(exec.Task.Id, exec.ExecId, width, height, cancellation);

        protected override Task ForgetAsync() => runner.ForgetExecAsync(shim, exec);
    }

    private sealed class AttachSession(
        IShim shim, TaskAttach attach, SessionSockets sockets, TaskOptions options, TimeProvider clock)
        : ProcessSession(sockets, options, clock)
    {
        protected override async Task<int> ExitAsync(CancellationToken cancellation)
        {
            if (!HasOutput) return await ProcessExitAsync(cancellation);
            // Silence says nothing about a container, so there is no limit to it.
            await OutputEndedAsync(Timeout.InfiniteTimeSpan, cancellation);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(Options.AttachExitTimeout);
            try
            {
                return await ProcessExitAsync(limit.Token);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                throw new FaultException(FaultKind.FailedPrecondition, "attach.detached",
                    $"Container {attach.Task.Id} runs on, but this session gets no more of its output: it was not read fast enough, or the container has closed it.");
            }
        }

        protected override Task ResizeTerminalAsync(uint width, uint height, CancellationToken cancellation) =>
            shim.ResizeAsync(attach.Task.Id, "", width, height, cancellation);

        private async Task<int> ProcessExitAsync(CancellationToken cancellation)
        {
            try
            {
                return (int)(await shim.WaitAsync(attach.Task.Id, "", cancellation)).Code;
            }
            catch (FaultException gone) when (IsGone(gone) && attach.ExitCode() is { } code)
            {
                return code; // deleted from the shim meanwhile
            }
        }
    }
}
