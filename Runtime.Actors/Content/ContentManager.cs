using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;
using Akka.Persistence;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;

namespace Runtime.Actors.Content;

/// <summary>
/// Keeps what a namespace knows of content. One persistent actor for all blobs: they are many, small and have no life of their
/// own, and an actor for each would only cost start-up time and memory. Parent: the namespace. A restart loses nothing.
/// </summary>
public sealed class ContentManager : UntypedPersistentActor
{
    public const string Name = "content";

    /// <summary>Events after which the records are stored whole, so that recovery stays below some 10 ms.</summary>
    private const int SnapshotEvery = 500;

    /// <summary>Events that stay for who reads the journal; some weeks of a busy node.</summary>
    private const int EventsKept = 5000;

    private readonly NamespaceName _space;
    private readonly ReadModel<ContentView> _views;
    private readonly TimeProvider _clock;
    private readonly EntityChanges _changes = EntityChanges.Of(Context.System);
    private ContentState _state = ContentState.Empty;
    private long _snapshotAt;

    public ContentManager(NamespaceName space, ReadModel<ContentView> views, TimeProvider clock)
    {
        _space = space;
        _views = views;
        _clock = clock;
        PersistenceId = EntityKey.PersistenceId(Name, space, "blobs");
    }

    public static Props Props(NamespaceName space, ReadModel<ContentView> views, TimeProvider clock) =>
        Akka.Actor.Props.Create(() => new ContentManager(space, views, clock));

    public override string PersistenceId { get; }

    protected override void OnRecover(object message)
    {
        switch (message)
        {
            case SnapshotOffer { Snapshot: ContentRecords records } offer:
                _snapshotAt = offer.Metadata.SequenceNr;
                _state = new ContentState { Blobs = records.Blobs.ToImmutableDictionary(blob => blob.Digest) };
                break;
            case IDomainEvent recorded:
                _state = _state.Apply(recorded);
                break;
            case RecoveryCompleted:
                foreach (var blob in _state.Blobs.Values) _views.Set(_space, blob.Digest, blob);
                break;
        }
    }

    protected override void OnCommand(object message)
    {
        switch (message)
        {
            case IContentCommand command:
                Handle(command);
                break;
            case SaveSnapshotSuccess saved:
                DeleteSnapshots(new SnapshotSelectionCriteria(saved.Metadata.SequenceNr - 1));
                if (saved.Metadata.SequenceNr > EventsKept) DeleteMessages(saved.Metadata.SequenceNr - EventsKept);
                break;
            case SaveSnapshotFailure failed:
                // The events are all there: the next one tries again.
                Log.Warning(failed.Cause, "{PersistenceId}: the records could not be stored whole", PersistenceId);
                break;
            case DeleteSnapshotsSuccess or DeleteMessagesSuccess:
                break;
            case DeleteSnapshotsFailure failed:
                Log.Warning(failed.Cause, "{PersistenceId}: an old snapshot stays", PersistenceId);
                break;
            case DeleteMessagesFailure failed:
                Log.Warning(failed.Cause, "{PersistenceId}: old events stay", PersistenceId);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr)
    {
        base.OnPersistRejected(cause, @event, sequenceNr);
        Sender.Tell(new Rejected(Faults.RuntimeFault.From(cause)), Self);
    }

    private void Handle(IContentCommand command)
    {
        var decision = _state.Decide(command, _clock.GetUtcNow());
        var caller = Sender;
        if (decision.Events.IsEmpty)
        {
            caller.Tell(decision.Reply, Self);
            return;
        }
        var left = decision.Events.Length;
        PersistAll(decision.Events, stored =>
        {
            Apply(stored);
            if (--left > 0) return;
            _changes.Publish(new EntityChange(_space, "", decision.Events, null, null, _clock.GetUtcNow()));
            caller.Tell(decision.Reply, Self);
            if (LastSequenceNr - _snapshotAt < SnapshotEvery) return;
            _snapshotAt = LastSequenceNr;
            SaveSnapshot(new ContentRecords([.. _state.Blobs.Values]));
        });
    }

    private void Apply(IDomainEvent stored)
    {
        _state = _state.Apply(stored);
        var digest = stored switch
        {
            ContentWasAdded added => added.Digest,
            ContentLabelsChanged changed => changed.Digest,
            ContentWasRemoved removed => removed.Digest,
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        _views.Set(_space, digest, _state.Blobs.GetValueOrDefault(digest));
    }
}
