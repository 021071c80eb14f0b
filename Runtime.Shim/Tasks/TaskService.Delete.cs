using Runtime.Faults;
using Runtime.Linux.Mounts;
using Runtime.Shim.Bundles;
using Runtime.Shim.Rpc;
using Runtime.Ttrpc.Events;
using Runtime.Ttrpc.Tasks;

namespace Runtime.Shim.Tasks;

internal sealed partial class TaskService
{
    private void Delete(Call call, ProcessRequest request)
    {
        var container = Find(request.Id);
        FindIn(container, request.ExecId);
        container.TakeTurn(() =>
        {
            try
            {
                var process = FindIn(container, request.ExecId);
                if (process.IsInit)
                    DeleteInit(call, container);
                else
                    DeleteExec(call, container, process);
            }
            catch (FaultException refused)
            {
                call.Refuse(refused.Fault);
                container.EndTurn();
            }
        });
    }

    private void DeleteExec(Call call, Container container, ContainerProcess exec)
    {
        if (exec.Phase is ProcessPhase.Running or ProcessPhase.Draining)
            throw WrongPhase(container.Id, exec, "delete");
        ForgetExec(container, exec);
        call.Reply(ExitOf(exec));
        container.EndTurn();
    }

    private void ForgetExec(Container container, ContainerProcess exec)
    {
        exec.Claim();
        exec.Streams?.Dispose();
        EndLogger(exec);
        exec.Connections.Dispose(loop);
        container.Execs.Remove(exec.ExecId);
        BundleFiles.RemoveExit(container.Bundle, exec.ExecId);
        EndWaits(exec);
    }

    /// <summary>1. deletes the OCI state (and a process that was never started), 2. unmounts the rootfs, 3. forgets the container.</summary>
    private void DeleteInit(Call call, Container container)
    {
        var init = container.Init;
        if (!_containers.ContainsKey(container.Id))
            throw new FaultException(FaultKind.NotFound, "task.not-found", $"Container {container.Id} is deleted already.");
        if (init.Phase is ProcessPhase.Running or ProcessPhase.Draining)
            throw WrongPhase(container.Id, init, "delete");
        container.Runtime.Run(reaper, LogFile, ["delete", "--force", container.Id], fault =>
        {
            if (fault is { Kind: not FaultKind.NotFound })
            {
                call.Refuse(fault);
                container.EndTurn();
            }
            else if (init.Phase == ProcessPhase.Stopped || init.Pid == 0)
                Unmount();
            else
                init.AfterExit.Add(Unmount);
        });

        void Unmount() => Worker.Run(loop, () => Mounter.UnmountAll(container.RootfsPath, lazy: true), fault =>
        {
            if (fault is not null)
                log.Warning($"Container {container.Id}: the rootfs stays mounted: {fault.Message}");
            Forget(container);
            events.Publish(TaskTopics.Delete, new TaskDeleteEvent
            {
                ContainerId = container.Id,
                Pid = (uint)init.Pid,
                ExitStatus = (uint)init.ExitCode,
                ExitedAt = init.ExitedAt,
            });
            call.Reply(ExitOf(init));
            container.EndTurn();
        });
    }

    private void Forget(Container container)
    {
        container.Oom?.Dispose();
        container.Init.Streams?.Dispose();
        EndLogger(container.Init);
        foreach (var exec in container.Execs.Values)
        {
            exec.Claim();
            exec.Streams?.Dispose();
            EndLogger(exec);
            exec.Connections.Dispose(loop);
            EndWaits(exec);
        }
        _containers.Remove(container.Id);
        BundleFiles.RemoveExit(container.Bundle, "");
    }

    private static DeleteResponse ExitOf(ContainerProcess process) =>
        new() { Pid = (uint)process.Pid, ExitStatus = (uint)process.ExitCode, ExitedAt = process.ExitedAt };
}
