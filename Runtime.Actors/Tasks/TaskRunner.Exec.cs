using System.Collections.Immutable;
using Runtime.Actors.Containers;
using Runtime.Actors.Shims;
using Runtime.Faults;
using Runtime.Oci.RuntimeSpec;

namespace Runtime.Actors.Tasks;

public sealed partial class TaskRunner
{
    /// <summary>Runs a command beside the first process, with its user, environment and limits, and reads its output.</summary>
    /// <exception cref="FaultException">DeadlineExceeded (<c>exec.timeout</c>): it was killed.</exception>
    public async Task<ExecSyncResult> ExecAsync(TaskExec exec, CancellationToken cancellation)
    {
        var (task, execId) = (exec.Task, exec.ExecId);
        var shim = await shims.ConnectAsync(task.Space, task.Id, cancellation);
        if (shim.IsNative) return await ExecStreamedAsync(shim, exec, cancellation);
        var pipes = Directory.CreateDirectory(Path.Combine(task.Bundle, "exec", execId)).FullName;
        try
        {
            using var stdoutPipe = new OutputPipe(Path.Combine(pipes, "stdout"));
            using var stderrPipe = new OutputPipe(Path.Combine(pipes, "stderr"));
            using var stdout = new KeptOutput(stdoutPipe.Stream, options.ExecOutputBytesMax);
            using var stderr = new KeptOutput(stderrPipe.Stream, options.ExecOutputBytesMax);
            await shim.ExecAsync(
                new ExecCreate(task.Id, execId, ProcessOf(exec), "", stdoutPipe.Path, stderrPipe.Path, Terminal: false), cancellation);
            try
            {
                await shim.StartAsync(task.Id, execId, cancellation);
                // From here the streams end when the last process lets go of them.
                stdoutPipe.CloseOwnEnd();
                stderrPipe.CloseOwnEnd();
                var exit = await ExitInTimeAsync(shim, exec, cancellation);
                using var drain = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
                drain.CancelAfter(options.ExecDrainTimeout);
                await Task.WhenAll(stdout.EndAsync(drain.Token), stderr.EndAsync(drain.Token));
                return new ExecSyncResult((int)exit.Code, stdout.Bytes, stderr.Bytes);
            }
            finally
            {
                // Also when the caller has gone: an exec leaves nothing behind.
                await ForgetExecAsync(shim, exec);
            }
        }
        finally
        {
            Directory.Delete(pipes, recursive: true);
        }
    }

    private async Task<ExecSyncResult> ExecStreamedAsync(IShim shim, TaskExec exec, CancellationToken cancellation)
    {
        await using var session = await OpenExecAsync(shim, exec, new SessionStreams(false, true, true, false), cancellation);
        using var stdout = new KeptOutput(session.Stdout!, options.ExecOutputBytesMax);
        using var stderr = new KeptOutput(session.Stderr!, options.ExecOutputBytesMax);
        var exit = await ExitInTimeAsync(shim, exec, cancellation);
        using var drain = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        drain.CancelAfter(options.ExecDrainTimeout);
        await Task.WhenAll(stdout.EndAsync(drain.Token), stderr.EndAsync(drain.Token));
        return new ExecSyncResult((int)exit.Code, stdout.Bytes, stderr.Bytes);
    }

    private static byte[] ProcessOf(TaskExec exec, bool terminal = false)
    {
        var path = Path.Combine(exec.Task.Bundle, "config.json");
        var process = OciSpecJson.ReadProcess(File.ReadAllBytes(path), path)
            ?? throw new FaultException(FaultKind.DataLoss, "task.no-process", $"{path} has no process.");
        process = process with { Args = exec.Command, Terminal = terminal ? true : null };
        return OciSpecJson.Write(terminal ? process with { Env = WithTerm(process.Env) } : process);
    }

    private static ImmutableArray<string> WithTerm(IEnumerable<string>? environment) =>
        [.. (environment ?? []).Where(entry => !entry.StartsWith("TERM=", StringComparison.Ordinal)), "TERM=xterm"];

    private static async Task<ProcessExit> ExitInTimeAsync(IShim shim, TaskExec exec, CancellationToken cancellation)
    {
        if (exec.Timeout <= TimeSpan.Zero) return await shim.WaitAsync(exec.Task.Id, exec.ExecId, cancellation);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(exec.Timeout);
        try
        {
            return await shim.WaitAsync(exec.Task.Id, exec.ExecId, limit.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new FaultException(FaultKind.DeadlineExceeded, "exec.timeout",
                $"Container {exec.Task.Id}: command \"{exec.Command[0]}\" did not end within {exec.Timeout.TotalSeconds} s, and was killed.");
        }
    }

    private async Task ForgetExecAsync(IShim shim, TaskExec exec)
    {
        try
        {
            await DeleteExecAsync(shim, exec);
        }
        catch (FaultException gone) when (IsGone(gone))
        {
            // With the container, or with the shim.
        }
    }

    private async Task DeleteExecAsync(IShim shim, TaskExec exec)
    {
        try
        {
            await shim.DeleteAsync(exec.Task.Id, exec.ExecId, CancellationToken.None);
        }
        catch (FaultException running) when (running.Fault.Kind == FaultKind.FailedPrecondition)
        {
            await KillExecAsync(shim, exec);
            await EndedAsync(shim, exec.Task, exec.ExecId, CancellationToken.None);
            await shim.DeleteAsync(exec.Task.Id, exec.ExecId, CancellationToken.None);
        }
    }

    private static async Task KillExecAsync(IShim shim, TaskExec exec)
    {
        try
        {
            await shim.KillAsync(exec.Task.Id, exec.ExecId, SIGKILL, all: true, CancellationToken.None);
        }
        catch (FaultException ended) when (ended.Fault.Kind == FaultKind.NotFound)
        {
            // It ends by itself just now; its output is still on its way.
        }
    }
}
