using System.Collections.Immutable;
using Runtime.Faults;
using Runtime.Linux.Processes;
using Runtime.Shim.Bundles;
using Runtime.Shim.Metrics;
using Runtime.Shim.Rpc;
using Runtime.Ttrpc.Events;
using Runtime.Ttrpc.Tasks;

namespace Runtime.Shim.Tasks;

internal sealed partial class TaskService
{
    private const int MaxResourcesBytes = 256 * 1024;

    /// <summary>Answers what is known now, also while a create or start is under way.</summary>
    private void State(Call call, ProcessRequest request)
    {
        var container = Find(request.Id);
        var process = FindIn(container, request.ExecId);
        call.Reply(new StateResponse
        {
            Id = container.Id,
            Bundle = container.Bundle,
            Pid = (uint)process.Pid,
            Status = process.Phase switch
            {
                ProcessPhase.New => process.IsInit ? 0u : 1u,
                ProcessPhase.Created => 1,
                ProcessPhase.Stopped => 3,
                _ => container.IsPaused ? 4u : 2u,
            },
            Stdin = process.Targets.Stdin,
            Stdout = process.Targets.Stdout,
            Stderr = process.Targets.Stderr,
            Terminal = process.Targets.IsTerminal,
            ExitStatus = process.Phase == ProcessPhase.Stopped ? (uint)process.ExitCode : 0,
            ExitedAt = process.Phase == ProcessPhase.Stopped ? process.ExitedAt : null,
            ExecId = process.ExecId,
        });
    }

    private void Kill(Call call, KillRequest request)
    {
        var container = Find(request.Id);
        var process = FindIn(container, request.ExecId);
        if (request.Signal is 0 or > Signals.Max)
            throw new FaultException(FaultKind.InvalidArgument, "task.bad-signal", $"There is no signal {request.Signal}.");
        if (!process.HasLivePid && !(request.All && process.IsInit && HasRunningExecs(container)))
            throw new FaultException(FaultKind.NotFound, "process.ended",
                $"{(process.IsInit ? $"Container {container.Id}" : $"Exec {process.ExecId}")} has no process: it is {process.Phase}.");
        if (request.All && process.IsInit)
            SignalAll(container, (int)request.Signal);
        // An exec leads a session of its own: its children are in its group, unless they left it on purpose.
        else if (!request.All || !ProcessControl.TrySignalGroup(process.Pid, (int)request.Signal))
            ProcessControl.TrySignal(process.Pid, (int)request.Signal);
        if (request.Signal == Signals.SIGKILL && container.IsPaused && container.CgroupPath.Length > 1)
        {
            // A frozen process dies only when it runs again.
            cgroups.Freeze(container.CgroupPath, frozen: false);
            container.IsPaused = false;
        }
        call.Done();
    }

    private void SignalAll(Container container, int signal)
    {
        if (container.CgroupPath.Trim('/').Length == 0)
        {
            ProcessControl.TrySignal(container.Init.Pid, signal);
            return;
        }
        if (signal == Signals.SIGKILL)
        {
            cgroups.KillAll(container.CgroupPath);
            return;
        }
        foreach (var pid in cgroups.Processes(container.CgroupPath, recursive: true))
        {
            if (pid > 0)
                ProcessControl.TrySignal(pid, signal);
        }
    }

    private void Pids(Call call, ContainerRequest request)
    {
        var container = Find(request.Id);
        var pids = container.CgroupPath.Trim('/').Length > 0
            ? cgroups.Processes(container.CgroupPath, recursive: true)
            : container.Init.HasLivePid ? [container.Init.Pid] : ImmutableArray<int>.Empty;
        var processes = ImmutableArray.CreateBuilder<TaskProcess>(pids.Length);
        foreach (var pid in pids)
            processes.Add(new((uint)pid, ExecWith(container, pid)));
        call.Reply(new PidsResponse { Processes = processes.DrainToImmutable() });
    }

    private static string ExecWith(Container container, int pid)
    {
        foreach (var exec in container.Execs.Values)
        {
            if (exec.Pid == pid)
                return exec.ExecId;
        }
        return "";
    }

    private void Pause(Call call, ContainerRequest request) => Freeze(call, request.Id, "pause", TaskTopics.Paused, isPaused: true);

    private void Resume(Call call, ContainerRequest request) => Freeze(call, request.Id, "resume", TaskTopics.Resumed, isPaused: false);

    private void Freeze(Call call, string id, string command, string topic, bool isPaused)
    {
        var container = Find(id);
        RunCommand(call, container, [command, id], () =>
        {
            container.IsPaused = isPaused;
            events.Publish(topic, new TaskContainerEvent { ContainerId = id });
        });
    }

    private void Update(Call call, UpdateTaskRequest request)
    {
        var container = Find(request.Id);
        if (request.Resources is not { Value: { IsEmpty: false, Length: <= MaxResourcesBytes } json })
            throw new FaultException(FaultKind.InvalidArgument, "task.no-resources", "The update has no resources, or too many.");
        var file = Path.Combine(container.Bundle, "resources.json");
        RunCommand(call, container, ["update", "--resources", file, container.Id], () => { }, () => BundleFiles.Write(file, json.Span));
    }

    /// <summary>One run of the OCI runtime, in turn, answered with nothing.</summary>
    private void RunCommand(Call call, Container container, string[] arguments, Action succeeded, Action? before = null) =>
        container.TakeTurn(() =>
        {
            try
            {
                if (!container.Init.HasLivePid)
                    throw WrongPhase(container.Id, container.Init, arguments[0]);
                before?.Invoke();
                container.Runtime.Run(reaper, LogFile, arguments, fault =>
                {
                    if (fault is null)
                    {
                        succeeded();
                        call.Done();
                    }
                    else
                        call.Refuse(fault);
                    container.EndTurn();
                });
            }
            catch (FaultException refused)
            {
                call.Refuse(refused.Fault);
                container.EndTurn();
            }
        });

    private void ResizePty(Call call, ResizePtyRequest request)
    {
        var process = Find(request.Id, request.ExecId);
        // Before its start: that is the size it starts with.
        if (process is { Phase: ProcessPhase.New, Targets.IsTerminal: true })
            process.Size = (request.Width, request.Height);
        else
            (process.Streams ?? throw WrongPhase(request.Id, process, "resize the terminal of")).Resize(request.Width, request.Height);
        call.Done();
    }

    private void CloseIo(Call call, CloseIoRequest request)
    {
        var process = Find(request.Id, request.ExecId);
        if (request.Stdin)
            process.Streams?.CloseStdin();
        call.Done();
    }

    /// <summary>actord.shim.v1.Shim, ReopenLog.</summary>
    public void ReopenLog(Call call, string id)
    {
        var streams = Find(id).Init.Streams
            ?? throw new FaultException(FaultKind.FailedPrecondition, "log.not-open", $"Container {id} has no log yet.");
        streams.ReopenLog(fault =>
        {
            if (fault is null)
                call.Done();
            else
                call.Refuse(fault);
        });
    }

    private void Stats(Call call, ContainerRequest request)
    {
        var container = Find(request.Id);
        if (container.CgroupPath.Trim('/').Length == 0 || !cgroups.Exists(container.CgroupPath))
            throw new FaultException(FaultKind.NotFound, "task.no-cgroup", $"Container {container.Id} has no cgroup.");
        call.Reply(new MetricsResponse(cgroups, container.CgroupPath));
    }

    private void Connect(Call call, ContainerRequest request)
    {
        var pid = _containers.TryGetValue(request.Id, out var container) ? container.Init.Pid : 0;
        call.Reply(new ConnectResponse { ShimPid = (uint)Environment.ProcessId, TaskPid = (uint)pid, Version = "3" });
    }

    private void Shutdown(Call call, ShutdownRequest request)
    {
        if (_containers.Count > 0 && !request.Now)
            throw new FaultException(
                FaultKind.FailedPrecondition, "shim.busy", $"The shim holds {_containers.Count} containers.");
        foreach (var container in _containers.Values)
            KillRest(container);
        ShutDown?.Invoke(call);
    }
}
