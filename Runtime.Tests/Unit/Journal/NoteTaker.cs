using Akka.Actor;
using Akka.Persistence;

namespace Runtime.Tests.Unit.Journal;

/// <summary>A plain persistent actor that keeps what it stored and recovered.</summary>
internal sealed class NoteTaker(string persistenceId, Recovery recovery, Action<Exception>? failure) : UntypedPersistentActor
{
    private readonly List<object> _notes = [];
    private readonly List<object> _outcomes = [];
    private IActorRef _asker = ActorRefs.Nobody;
    private int _expected;

    public static Props Props(string persistenceId, Recovery? recovery = null, Action<Exception>? failure = null) =>
        Akka.Actor.Props.Create(() => new NoteTaker(persistenceId, recovery ?? Recovery.Default, failure));

    /// <summary>One atomic batch; answers "stored" or the exception.</summary>
    public sealed record Store(params object[] Events);

    /// <summary>A batch for each; answers "stored" or "rejected" for each.</summary>
    public sealed record StoreEach(params object[] Events);

    public sealed record Recall
    {
        public static readonly Recall Instance = new();
    }

    public sealed record Snapshot(object State);

    public sealed record DeleteTo(long Sequence);

    public sealed record DeleteSnapshotOf(long Sequence);

    public sealed record DeleteSnapshotsUpTo(SnapshotSelectionCriteria Criteria);

    public sealed record Offered(string Text, long Sequence);

    public override string PersistenceId { get; } = persistenceId;

    public override Recovery Recovery { get; } = recovery;

    protected override void OnRecover(object message)
    {
        switch (message)
        {
            case SnapshotOffer { Snapshot: NoteBook book } offer:
                _notes.Add(new Offered(book.Notes[0], offer.Metadata.SequenceNr));
                break;
            case not RecoveryCompleted:
                _notes.Add(message);
                break;
        }
    }

    protected override void OnCommand(object message)
    {
        switch (message)
        {
            case Store store:
                (_asker, _expected) = (Sender, -1);
                var left = store.Events.Length;
                PersistAll(store.Events, stored =>
                {
                    _notes.Add(stored);
                    if (--left == 0) _asker.Tell("stored");
                });
                break;
            case StoreEach store:
                (_asker, _expected) = (Sender, store.Events.Length);
#pragma warning disable AK1006 // several batches in one message are what is tested
                foreach (var one in store.Events) Persist(one, _ => Note("stored"));
#pragma warning restore AK1006
                break;
            case Recall:
                Sender.Tell(_notes.ToArray());
                break;
            case Snapshot snapshot:
                _asker = Sender;
                SaveSnapshot(snapshot.State);
                break;
            case DeleteTo delete:
                _asker = Sender;
                DeleteMessages(delete.Sequence);
                break;
            case DeleteSnapshotOf one:
                _asker = Sender;
                DeleteSnapshot(one.Sequence);
                break;
            case DeleteSnapshotsUpTo many:
                _asker = Sender;
                DeleteSnapshots(many.Criteria);
                break;
            case SaveSnapshotSuccess or SaveSnapshotFailure or DeleteMessagesSuccess or DeleteMessagesFailure
                or DeleteSnapshotSuccess or DeleteSnapshotFailure or DeleteSnapshotsSuccess or DeleteSnapshotsFailure:
                _asker.Tell(message);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr)
    {
        if (_expected >= 0) Note("rejected");
        else _asker.Tell(cause);
    }

    protected override void OnRecoveryFailure(Exception reason, object? message = null) => failure?.Invoke(reason);

    private void Note(string outcome)
    {
        _outcomes.Add(outcome);
        if (_outcomes.Count == _expected) _asker.Tell(_outcomes.ToArray());
    }
}
