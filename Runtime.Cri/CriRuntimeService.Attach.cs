using Grpc.Core;
using Runtime.Actors.Containers;
using Runtime.Cri.Streaming;
using Runtime.Cri.V1;

namespace Runtime.Cri;

public sealed partial class CriRuntimeService
{
    /// <summary>Answers a URL. What the container has written before is in its log, not in the stream.</summary>
    public override Task<AttachResponse> Attach(AttachRequest request, ServerCallContext context)
    {
        CheckStreams(request.Stdin, request.Stdout, request.Stderr, request.Tty);
        var id = RunningContainer(request.ContainerId);
        var ticket = new CommandTicket(
            IsExec: false, request.Stdin, request.Stdout, request.Stderr, request.Tty,
            async cancellation => (await edge.AskAsync<SessionOpened>(
                new OpenAttach(Space, id, CriIds.New(), request.Stdin, request.Stdout, request.Stderr, request.Tty),
                cancellation)).Session);
        return Task.FromResult(new AttachResponse { Url = streaming.Issue(ticket) });
    }
}
