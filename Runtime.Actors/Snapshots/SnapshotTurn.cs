using Akka.Actor;
using Runtime.Actors.Entities;
using Runtime.Faults;

namespace Runtime.Actors.Snapshots;

/// <summary>A command between the manager and an entity, and who asked for it.</summary>
/// <param name="ParentId">Id of the parent that the entity is getting; empty for none.</param>
internal sealed record SnapshotTurn(string EntityId, string ParentId, IActorRef Caller);

internal sealed record SnapshotTurnOver(SnapshotTurn Turn, object Reply);

/// <summary>
/// Takes an entity's reply for the manager, so that what the manager keeps about a command ends with it. Parent:
/// SnapshotSpaceManager. Lives for one reply.
/// </summary>
internal sealed class SnapshotTurnActor : UntypedActor
{
    /// <summary>Sized for a copying snapshotter with a big parent. Beyond it the entity is taken for lost.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    private readonly SnapshotTurn _turn;

    public SnapshotTurnActor(SnapshotTurn turn) => _turn = turn;

    public static Props Props(SnapshotTurn turn) => Akka.Actor.Props.Create(() => new SnapshotTurnActor(turn));

    protected override void PreStart() => Context.SetReceiveTimeout(Limit);

    protected override void OnReceive(object message)
    {
        var reply = message is ReceiveTimeout
            ? new Rejected(FaultKind.DeadlineExceeded, "snapshot.no-answer", $"Snapshot {_turn.EntityId} did not answer in {Limit}.")
            : message;
        Context.Parent.Tell(new SnapshotTurnOver(_turn, reply));
        Context.Stop(Self);
    }
}
