using Akka.Actor;
using Runtime.Actors;
using Runtime.Actors.Entities;
using Runtime.Actors.Snapshots;
using Runtime.Faults;

namespace Runtime.Api.Edge;

/// <summary>Where a gRPC call meets the actors: the only place that asks.</summary>
public sealed class ActorEdge(RuntimeDomain domain)
{
    /// <summary>Sends a command and waits for its reply, for as long as the caller does.</summary>
    /// <remarks>When the caller gives up, only the waiting ends: the entity finishes or undoes what it began, and a retry joins it.</remarks>
    /// <exception cref="FaultException">The fault of a <see cref="Rejected"/> reply.</exception>
    /// <exception cref="OperationCanceledException">The caller's deadline passed, or it went away.</exception>
    public async Task<TReply> AskAsync<TReply>(IEntityCommand command, CancellationToken caller)
    {
        var reply = await Target(command).Ask<object>(command, Timeout.InfiniteTimeSpan, caller);
        return reply switch
        {
            TReply expected => expected,
            Rejected rejected => throw rejected.Fault.ToException(),
            _ => throw new FaultException(FaultKind.Internal, "edge.unexpected-reply",
                $"{command.GetType().Name} was answered with {reply.GetType().Name} instead of {typeof(TReply).Name}."),
        };
    }

    /// <summary>Sends a command that nobody waits for.</summary>
    public void Tell(IEntityCommand command) => Target(command).Tell(command, ActorRefs.NoSender);

    private IActorRef Target(IEntityCommand command) =>
        command is ISnapshotCommand ? domain.Snapshots : domain.Namespaces;
}
