using Runtime.Faults;
using Runtime.Linux.Processes;
using Runtime.Shim.Bundles;
using Runtime.Shim.Rpc;
using Runtime.Ttrpc.Events;
using Runtime.Ttrpc.Tasks;

namespace Runtime.Shim.Tasks;

internal sealed partial class TaskService
{
    /// <summary>How long an init's exit waits for those of its execs.</summary>
    private const int HeldInitMs = 3000;

    /// <summary>
    /// 1. waits for a start under way, 2. an init: ends what it left behind, waits for its execs, 3. copies what is left of its output,
    /// 4. tells.
    /// </summary>
    private void OnExit(Container container, ContainerProcess process, ChildExit exit)
    {
        if (process.IsStarting)
        {
            process.HeldExit = exit;
            return;
        }
        process.Phase = ProcessPhase.Draining;
        process.ExitCode = exit.Code;
        process.WasKilled = exit.Signal == Signals.SIGKILL;
        process.ExitedAt = clock.GetUtcNow();
        if (process.IsInit && !container.Spec.HasOwnPids)
            KillRest(container);
        if (process.Streams is { } streams)
            streams.Drain(() => OnDrained(container, process));
        else
            OnDrained(container, process);
    }

    private void OnDrained(Container container, ContainerProcess process)
    {
        if (process.IsInit && HasRunningExecs(container))
        {
            container.IsInitExitHeld = true;
            loop.After(HeldInitMs, () =>
            {
                if (!container.IsInitExitHeld)
                    return;
                container.IsInitExitHeld = false;
                Tell(container, process);
            });
            return;
        }
        Tell(container, process);
        if (container.IsInitExitHeld && !HasRunningExecs(container))
        {
            container.IsInitExitHeld = false;
            Tell(container, container.Init);
        }
    }

    private void Tell(Container container, ContainerProcess process)
    {
        // Read again: the kernel's notification may still be on its way.
        if (process.IsInit && container.Oom is { HasKilled: true } && process.WasKilled)
            BundleFiles.Write(Path.Combine(container.Bundle, BundleFiles.OomMark), "");
        try
        {
            BundleFiles.WriteExit(container.Bundle, process.ExecId, process.Pid, process.ExitCode, process.ExitedAt!.Value);
        }
        catch (Exception failed) when (failed is FaultException or IOException or UnauthorizedAccessException)
        {
            log.Warning($"Container {container.Id}: the exit is not on disk: {failed.Message}");
        }
        process.Phase = ProcessPhase.Stopped;
        events.Publish(TaskTopics.Exit, new TaskExitEvent
        {
            ContainerId = container.Id,
            Id = process.IsInit ? container.Id : process.ExecId,
            Pid = (uint)process.Pid,
            ExitStatus = (uint)process.ExitCode,
            ExitedAt = process.ExitedAt,
        });
        EndWaits(process);
        if (process.IsAbandoned)
            ForgetExec(container, process);
    }

    private static void EndWaits(ContainerProcess process)
    {
        foreach (var call in process.Waiting)
            call.Reply(new WaitResponse { ExitStatus = (uint)process.ExitCode, ExitedAt = process.ExitedAt });
        process.Waiting.Clear();
        foreach (var next in process.AfterExit)
            next();
        process.AfterExit.Clear();
    }

    private void Wait(Call call, ProcessRequest request)
    {
        var process = Find(request.Id, request.ExecId);
        if (process.Phase == ProcessPhase.Stopped)
        {
            call.Reply(new WaitResponse { ExitStatus = (uint)process.ExitCode, ExitedAt = process.ExitedAt });
            return;
        }
        // A daemon that connects again and again leaves its old calls behind.
        process.Waiting.RemoveAll(static waiting => waiting.IsGone);
        process.Waiting.Add(call);
    }

    private static bool HasRunningExecs(Container container)
    {
        foreach (var exec in container.Execs.Values)
        {
            if (exec.Phase is ProcessPhase.Running or ProcessPhase.Draining)
                return true;
        }
        return false;
    }

    /// <summary>A container in another's pid namespace: the kernel does not end its processes with its init.</summary>
    private void KillRest(Container container)
    {
        try
        {
            if (container.CgroupPath.Trim('/').Length > 0)
                cgroups.KillAll(container.CgroupPath);
        }
        catch (FaultException failed)
        {
            log.Warning($"Container {container.Id}: not all of its processes could be killed: {failed.Message}");
        }
    }
}
