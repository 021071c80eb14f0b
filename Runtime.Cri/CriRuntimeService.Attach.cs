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
        var config = _ids.Container(id).Config;
        var ticket = new CommandTicket(
            IsExec: false, request.Stdin, request.Stdout, request.Stderr, request.Tty,
            async cancellation => (await edge.AskAsync<SessionOpened>(
                new OpenAttach(Space, id, CriIds.New(), request.Stdin, request.Stdout, request.Stderr, request.Tty),
                cancellation)).Session)
        {
            // With stdin_once the process is told that its input is over, and what it makes of that is still to be seen.
            EndsWithStdin = request.Stdin && config.Stdin && (config.Tty || !config.StdinOnce),
        };
        return Task.FromResult(new AttachResponse { Url = streaming.Issue(ticket) });
    }
}
