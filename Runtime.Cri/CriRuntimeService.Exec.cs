using System.Collections.Immutable;
using Grpc.Core;
using Runtime.Actors.Containers;
using Runtime.Cri.Mapping;
using Runtime.Cri.Streaming;
using Runtime.Cri.V1;
using Runtime.Faults;

namespace Runtime.Cri;

public sealed partial class CriRuntimeService
{
    /// <summary>Answers a URL; the command starts when its client comes.</summary>
    public override Task<ExecResponse> Exec(ExecRequest request, ServerCallContext context)
    {
        if (request.Cmd.Count == 0) throw RequestCheck.Missing("cmd");
        CheckStreams(request.Stdin, request.Stdout, request.Stderr, request.Tty);
        ImmutableArray<string> command = [.. request.Cmd.Select(argument => RequestCheck.NoNul(argument, "cmd"))];
        var id = RunningContainer(request.ContainerId);
        var ticket = new CommandTicket(
            IsExec: true, request.Stdin, request.Stdout, request.Stderr, request.Tty,
            async cancellation => (await edge.AskAsync<SessionOpened>(
                new OpenExec(Space, id, CriIds.New(), command, request.Stdin, request.Stdout, request.Stderr, request.Tty),
                cancellation)).Session);
        return Task.FromResult(new ExecResponse { Url = streaming.Issue(ticket) });
    }

    private static void CheckStreams(bool stdin, bool stdout, bool stderr, bool terminal)
    {
        if (terminal && stderr)
            throw new FaultException(FaultKind.InvalidArgument, "request.tty-and-stderr", "tty and stderr cannot both be true.");
        if (!stdin && !stdout && !stderr)
            throw new FaultException(FaultKind.InvalidArgument, "request.no-stream", "One of stdin, stdout and stderr must be set.");
    }

    private string RunningContainer(string id)
    {
        var view = _ids.Container(id);
        return view.Phase == ContainerPhase.Running
            ? view.Id
            : throw new FaultException(FaultKind.FailedPrecondition, "container.not-running", $"Container {view.Id} is {view.Phase}.");
    }
}
