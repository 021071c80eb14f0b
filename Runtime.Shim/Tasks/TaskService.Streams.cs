using Microsoft.Win32.SafeHandles;
using Runtime.Faults;
using Runtime.Linux.Processes;
using Runtime.Shim.Rpc;
using Runtime.Ttrpc.Actord;

namespace Runtime.Shim.Tasks;

internal sealed partial class TaskService
{
    /// <summary>
    /// actord.shim.v1.Shim, OpenStream: the call's connection becomes a stream of an exec that is to be started, or of a
    /// container that runs.
    /// </summary>
    public void OpenStream(Call call, OpenStreamRequest request)
    {
        if (!Enum.IsDefined(request.Kind))
            throw new FaultException(FaultKind.InvalidArgument, "stream.unknown-kind", $"There is no stream {request.Kind}.");
        var container = Find(request.ContainerId);
        var process = FindIn(container, request.ExecId);
        if (process.IsInit)
            AttachTo(call, container, request);
        else
            Connect(call, container, process, request.Kind);
    }

    private static void AttachTo(Call call, Container container, OpenStreamRequest request)
    {
        if (container.Init is not { Phase: ProcessPhase.Running, Streams: { } streams })
            throw WrongPhase(container.Id, container.Init, "attach to");
        if (!streams.CanAttach(request.Kind))
            throw new FaultException(
                FaultKind.FailedPrecondition, "attach.no-stream", $"Container {container.Id} has no {request.Kind} to attach to.");
        call.Done();
        streams.Attach(request.Kind, call.TakeOver(), request.ClosesStdin);
    }

    private void Connect(Call call, Container container, ContainerProcess exec, StreamKind kind)
    {
        var target = kind switch
        {
            StreamKind.Stdin => exec.Targets.Stdin,
            StreamKind.Stdout => exec.Targets.Stdout,
            _ => exec.Targets.Stderr,
        };
        if (exec.Phase != ProcessPhase.New || exec.IsStarting || target != StreamConnection.Target || exec.Connections.Has(kind))
            throw new FaultException(FaultKind.FailedPrecondition, "exec.no-stream",
                $"{kind} of exec {exec.ExecId} of container {container.Id} cannot be opened, or not any more.");
        call.Done();
        // The end of an output says that nobody is there any more; that of an input does not.
        if (kind != StreamKind.Stdin)
            exec.Claim();
        exec.Connections.Add(loop, kind, call.TakeOver(), () => Abandon(container, exec));
    }

    /// <summary>The client of an exec has gone, or its daemon: it is ended, and forgotten once it has.</summary>
    private void Abandon(Container container, ContainerProcess exec)
    {
        exec.IsAbandoned = true;
        if (exec.IsStarting)
            return; // once it has started
        if (exec.Phase == ProcessPhase.Running)
            KillGroup(exec);
        else if (exec.Phase is ProcessPhase.New or ProcessPhase.Stopped)
            ForgetExec(container, exec);
    }

    /// <summary>An exec leads a session of its own: its children are in its group, unless they left it on purpose.</summary>
    private static void KillGroup(ContainerProcess exec)
    {
        if (!ProcessControl.TrySignalGroup(exec.Pid, Signals.SIGKILL))
            ProcessControl.TrySignal(exec.Pid, Signals.SIGKILL);
    }

    private static void StartStreams(ContainerProcess process, SafeFileHandle? master)
    {
        process.Streams!.Start(master);
        if (master is not null && process.Size is { } size)
            process.Streams.Resize(size.Width, size.Height);
    }
}
