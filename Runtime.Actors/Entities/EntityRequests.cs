using Akka.Actor;
using Runtime.Faults;

namespace Runtime.Actors.Entities;

/// <summary>
/// Sends commands from work that runs outside of any actor (a pull's pipeline, an import, a collection) and waits for the replies.
/// </summary>
/// <param name="target">Whom a command goes to.</param>
public sealed class EntityRequests(Func<IEntityCommand, ICanTell> target)
{
    /// <summary>Sized far above the slowest command, a copying snapshotter's Prepare: beyond it the reply is lost.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    /// <exception cref="FaultException">The fault of a <see cref="Rejected"/> reply; DeadlineExceeded when none came.</exception>
    public async Task<TReply> SendAsync<TReply>(IEntityCommand command, CancellationToken cancellation)
    {
        object reply;
        try
        {
#pragma warning disable RS0030 // No actor waits here: the caller is work on a thread of its own, as at the gRPC edge.
            reply = await target(command).Ask<object>(command, Limit, cancellation);
#pragma warning restore RS0030
        }
        catch (AskTimeoutException late)
        {
            throw new FaultException(FaultKind.DeadlineExceeded, "entity.no-answer",
                $"{command.GetType().Name} {command.EntityId} was not answered in {Limit}.", late);
        }
        return reply switch
        {
            TReply expected => expected,
            Rejected rejected => throw rejected.Fault.ToException(),
            _ => throw new FaultException(FaultKind.Internal, "entity.unexpected-reply",
                $"{command.GetType().Name} was answered with {reply.GetType().Name} instead of {typeof(TReply).Name}."),
        };
    }
}
