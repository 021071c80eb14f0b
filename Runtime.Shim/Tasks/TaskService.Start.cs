using Runtime.Faults;
using Runtime.Shim.Bundles;
using Runtime.Shim.Rpc;
using Runtime.Shim.Streams;
using Runtime.Ttrpc.Events;
using Runtime.Ttrpc.Tasks;

namespace Runtime.Shim.Tasks;

internal sealed partial class TaskService
{
    private const int FailedStartCode = 255;

    /// <summary>
    /// A daemon connects to an exec at once. One that has not by then died in between, and knows nothing of it any more.
    /// </summary>
    private const int UnclaimedMs = 60_000;

    private void Start(Call call, ProcessRequest request)
    {
        var container = Find(request.Id);
        FindIn(container, request.ExecId).Claim();
        container.TakeTurn(() =>
        {
            try
            {
                var process = FindIn(container, request.ExecId);
                if (process.IsInit)
                    StartInit(call, container);
                else
                    StartExec(call, container, process);
            }
            catch (FaultException refused)
            {
                call.Refuse(refused.Fault);
                container.EndTurn();
            }
        });
    }

    private void StartInit(Call call, Container container)
    {
        var init = container.Init;
        if (init.Phase != ProcessPhase.Created)
            throw WrongPhase(container.Id, init, "start");
        if (container.Checkpoint.Length > 0)
        {
            Restore(call, container);
            return;
        }
        init.IsStarting = true;
        try
        {
            container.Runtime.Run(reaper, LogFile, ["start", container.Id], Started);
        }
        catch (FaultException)
        {
            init.IsStarting = false;
            throw;
        }

        void Started(RuntimeFault? fault)
        {
            if (fault is null)
            {
                init.Phase = ProcessPhase.Running;
                events.Publish(TaskTopics.Start, new TaskStartEvent { ContainerId = container.Id, Pid = (uint)init.Pid });
                call.Reply(new PidResponse { Pid = (uint)init.Pid });
            }
            else
                call.Refuse(fault);
            EndStart(container, init);
            container.EndTurn();
        }
    }

    private void Exec(Call call, ExecProcessRequest request)
    {
        var container = Find(request.Id);
        if (request.ExecId.Length == 0 || request.ExecId.Length > 200 || request.ExecId.Contains('/') || request.ExecId.Contains('\0'))
            throw new FaultException(FaultKind.InvalidArgument, "exec.bad-id", "An exec id has 1 to 200 characters and no slash.");
        if (container.Execs.ContainsKey(request.ExecId))
            throw new FaultException(
                FaultKind.AlreadyExists, "exec.exists", $"Container {container.Id} has an exec {request.ExecId} already.");
        if (request.Spec is not { Value.IsEmpty: false })
            throw new FaultException(FaultKind.InvalidArgument, "exec.no-process", "The exec has no process to run.");
        var targets = new StreamTargets(request.Stdin, request.Stdout, request.Stderr, request.Terminal);
        var exec = new ContainerProcess(request.ExecId, targets) { Spec = request.Spec.Value };
        container.Execs.Add(request.ExecId, exec);
        if (targets.HasConnections)
            exec.Unclaimed = loop.After(UnclaimedMs, () => Abandon(container, exec));
        events.Publish(TaskTopics.ExecAdded, new TaskExecAddedEvent { ContainerId = container.Id, ExecId = request.ExecId });
        call.Done();
    }

    private void StartExec(Call call, Container container, ContainerProcess exec)
    {
        if (container.Init.Phase is not (ProcessPhase.Running or ProcessPhase.Created))
            throw WrongPhase(container.Id, container.Init, "exec in");
        if (exec.Phase != ProcessPhase.New || exec.Spec.IsEmpty)
            throw WrongPhase(container.Id, exec, "start");
        WithLogger(container, exec, refused => RunExec(call, container, exec, refused));
    }

    private void RunExec(Call call, Container container, ContainerProcess exec, RuntimeFault? refused)
    {
        var prefix = Path.Combine(container.Bundle, $"exec-{exec.ExecId}");
        var (specPath, pidPath, logName) = ($"{prefix}.json", $"{prefix}.pid", $"exec-{exec.ExecId}.log");
        ConsoleListener? console = null;
        try
        {
            if (refused is not null)
                throw refused.ToException();
            BundleFiles.Write(specPath, exec.Spec.Span);
            exec.Spec = default;
            exec.Streams = new ProcessStreams(
                loop, io, exec.Targets, container.Options.IoUid, container.Options.IoGid, exec.Connections, exec.Logger);
            console = exec.Targets.IsTerminal ? OpenConsole() : null;
            List<string> arguments = ["exec", "--process", specPath, "--detach", "--pid-file", pidPath];
            if (console is not null)
                arguments.AddRange(["--console-socket", console.Path]);
            arguments.Add(container.Id);
            reaper.Expect();
            exec.IsStarting = true;
            container.Runtime.Run(reaper, logName, arguments, Started, exec.Streams.ChildStdin, exec.Streams.ChildStdout, exec.Streams.ChildStderr);
        }
        catch (FaultException failed)
        {
            if (exec.IsStarting)
                reaper.ExpectNoMore();
            FailExec(failed.Fault);
        }

        void Started(RuntimeFault? fault)
        {
            try
            {
                if (fault is not null)
                    throw fault.ToException();
                StartStreams(exec, console?.Take());
                exec.Pid = BundleFiles.ReadPid(pidPath);
                if (exec.Pid == 0)
                    throw new FaultException(FaultKind.Internal, "oci.no-pid", $"The OCI runtime wrote no pid of exec {exec.ExecId}.");
            }
            catch (FaultException failed)
            {
                reaper.ExpectNoMore();
                FailExec(failed.Fault);
                return;
            }
            RemoveFiles();
            exec.Phase = ProcessPhase.Running;
            events.Publish(TaskTopics.ExecStarted, new TaskExecStartedEvent
            {
                ContainerId = container.Id,
                ExecId = exec.ExecId,
                Pid = (uint)exec.Pid,
            });
            call.Reply(new PidResponse { Pid = (uint)exec.Pid });
            reaper.Ask(exec.Pid, exit => OnExit(container, exec, exit));
            reaper.ExpectNoMore();
            EndStart(container, exec);
            if (exec.IsAbandoned)
                Abandon(container, exec);
            container.EndTurn();
        }

        // It counts as ended, so that waiters and Delete have an answer.
        void FailExec(RuntimeFault fault)
        {
            RemoveFiles();
            exec.Streams?.Dispose();
            exec.Logger?.Dispose();
            exec.Streams = null;
            exec.Connections.Dispose(loop);
            exec.IsStarting = false;
            (exec.Phase, exec.ExitCode, exec.ExitedAt) = (ProcessPhase.Stopped, FailedStartCode, clock.GetUtcNow());
            call.Refuse(fault);
            EndWaits(exec);
            if (exec.IsAbandoned)
                ForgetExec(container, exec);
            container.EndTurn();
        }

        void RemoveFiles()
        {
            console?.Dispose();
            BundleFiles.Remove(specPath);
            BundleFiles.Remove(pidPath);
            BundleFiles.Remove(Path.Combine(container.Bundle, logName));
        }
    }

    private void EndStart(Container container, ContainerProcess process)
    {
        process.IsStarting = false;
        if (process.HeldExit is { } exit)
        {
            process.HeldExit = null;
            OnExit(container, process, exit);
        }
    }
}
