using System.ComponentModel;
using System.Diagnostics;
using Runtime.Actors.Content;
using Runtime.Actors.Ports;
using Runtime.Actors.Shims;
using Runtime.Actors.Tasks;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Ttrpc.Bootstrap;
using Runtime.Ttrpc.Wire;

namespace Runtime.Actors.Containers;

/// <summary>
/// Checkpoints of running containers, which stand still meanwhile and go on afterwards. One of a container at a time. What a
/// daemon that ended has left half done, the next one abandons: the container goes on.
/// </summary>
internal sealed class Checkpoints(IShims shims, DirectoryLayout directories, TimeProvider clock)
{
    private static readonly TimeSpan CheckTimeout = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);

    private readonly KeyedLocks _turns = new();

    /// <summary>
    /// 1. CRIU is asked whether it works here, 2. the container is frozen, 3. dumped, 4. its changed files are copied, 5. it goes
    /// on, 6. the archive is written.
    /// </summary>
    /// <param name="criu">Path of the program; empty: on PATH.</param>
    /// <exception cref="FaultException">
    /// FailedPrecondition (<c>checkpoint.no-criu</c>, <c>checkpoint.criu-refuses</c>, <c>checkpoint.failed</c>,
    /// <c>checkpoint.no-overlay</c>, <c>checkpoint.not-written</c>). There is no archive, and the container runs.
    /// </exception>
    public async Task WriteAsync(
        CheckpointTask checkpoint, TaskAddress task, ContainerView view, string criu, CancellationToken cancellation)
    {
        var plan = checkpoint.Plan;
        await CheckCriuAsync(plan.Id, criu.Length > 0 ? criu : "criu", cancellation);
        using var turn = await _turns.AcquireAsync(plan.Id, cancellation);
        var directory = DirectoryOf(plan);
        var archive = new CheckpointArchive(plan, directory, clock.GetUtcNow());
        DirectoryTree.Delete(directory);
        DurableFiles.MakePrivateDirectory(archive.Images);
        DurableFiles.MakePrivateDirectory(archive.Work);
        try
        {
            var shim = await shims.ConnectAsync(task.Space, task.Id, cancellation);
            await shim.PauseAsync(task.Id, cancellation);
            try
            {
                await DumpAsync(shim, plan, archive, cancellation);
                await archive.CopyChangesAsync(checkpoint.Rootfs, cancellation);
            }
            finally
            {
                // Whatever became of it, and whoever has gone: it must not stand still for ever.
                await shim.ResumeAsync(task.Id, CancellationToken.None);
            }
            await archive.WriteAsync(checkpoint.Location, view, checkpoint.Status, Path.Combine(task.Bundle, "config.json"), cancellation);
        }
        // Its place, or the files of a container that is removed meanwhile.
        catch (Exception broken) when (broken is IOException or UnauthorizedAccessException)
        {
            throw new FaultException(FaultKind.FailedPrecondition, "checkpoint.not-written",
                $"Container {plan.Id}: the checkpoint {checkpoint.Location} cannot be written: {broken.Message}", broken);
        }
        finally
        {
            DirectoryTree.Delete(directory);
        }
    }

    /// <summary>Has a container go on that an interrupted checkpoint has left frozen. One that cannot has ended, or will be seen to.</summary>
    public async Task AbandonAsync(ContainerPlan plan, TaskAddress task, CancellationToken cancellation)
    {
        var directory = DirectoryOf(plan);
        if (!Directory.Exists(directory)) return;
        using var turn = await _turns.AcquireAsync(plan.Id, cancellation);
        if (!Directory.Exists(directory)) return; // it was not interrupted, but under way
        while (!await TryResumeAsync(task, cancellation)) await Task.Delay(RetryPause, clock, cancellation);
        DirectoryTree.Delete(directory);
    }

    /// <summary>False: nobody answered.</summary>
    private async Task<bool> TryResumeAsync(TaskAddress task, CancellationToken cancellation)
    {
        try
        {
            var shim = await shims.ConnectAsync(task.Space, task.Id, cancellation);
            var state = await shim.StateAsync(task.Id, "", cancellation);
            if (state.Status == ProcessStatus.Paused) await shim.ResumeAsync(task.Id, cancellation);
            return true;
        }
        catch (FaultException failed)
        {
            return failed.Fault.Code == "shim.dead" || failed.Fault.Kind is not (FaultKind.Unavailable or FaultKind.DeadlineExceeded);
        }
    }

    private string DirectoryOf(ContainerPlan plan) => Path.Combine(directories.Container(plan.Id), "checkpoint");

    private static async Task DumpAsync(IShim shim, ContainerPlan plan, CheckpointArchive archive, CancellationToken cancellation)
    {
        try
        {
            var options = WireAny.Pack(CheckpointOptionsMessage.TypeName, new CheckpointOptionsMessage { WorkPath = archive.Work });
            await shim.CheckpointAsync(plan.Id, archive.Images, options, cancellation);
        }
        catch (FaultException failed) when (failed.Fault.Code == "oci.failed" || failed.Fault.Kind == FaultKind.Unknown)
        {
            throw new FaultException(FaultKind.FailedPrecondition, "checkpoint.failed",
                $"Container {plan.Id} cannot be checkpointed: {failed.Message}{Said(archive)}", failed);
        }
    }

    // What the OCI runtime says is that CRIU failed; why stands in CRIU's log.
    private static string Said(CheckpointArchive archive)
    {
        var log = Path.Combine(archive.Work, "dump.log");
        return File.Exists(log) && File.ReadLines(log).LastOrDefault(line => line.Contains("Error", StringComparison.Ordinal)) is { } error
            ? $": {error.Trim()}" : "";
    }

    private static async Task CheckCriuAsync(string id, string criu, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(CheckTimeout);
        using var process = Start(id, criu);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var errors = await process.StandardError.ReadToEndAsync(limit.Token);
            await output;
            await process.WaitForExitAsync(limit.Token);
            if (process.ExitCode == 0) return;
            var said = errors.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .FirstOrDefault(line => line.Contains("Error", StringComparison.Ordinal)) ?? errors.Trim();
            throw new FaultException(FaultKind.FailedPrecondition, "checkpoint.criu-refuses",
                $"Container {id}: CRIU does not work on this node: {said}");
        }
        catch (OperationCanceledException)
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
            if (cancellation.IsCancellationRequested) throw;
            throw new FaultException(FaultKind.DeadlineExceeded, "checkpoint.timeout", $"{criu} check took more than {CheckTimeout}.");
        }
    }

    private static Process Start(string id, string criu)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(criu, ["check"]) { RedirectStandardOutput = true, RedirectStandardError = true })
                ?? throw new FaultException(FaultKind.FailedPrecondition, "checkpoint.no-criu", $"{criu} could not be run.");
        }
        catch (Win32Exception missing)
        {
            throw new FaultException(FaultKind.FailedPrecondition, "checkpoint.no-criu",
                $"Container {id}: a checkpoint needs CRIU, and {criu} cannot be run: {missing.Message}", missing);
        }
    }
}
