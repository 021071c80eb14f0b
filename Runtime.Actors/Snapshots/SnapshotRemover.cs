using Akka.Actor;
using Akka.Event;
using Runtime.Faults;

namespace Runtime.Actors.Snapshots;

/// <summary>
/// Removes directories one after another, because a big one keeps the disk busy for seconds. What it cannot remove it tries again
/// when somebody asks to clean up; what it does not get to is an orphan that the next start finds. Parent: SnapshotManager.
/// </summary>
public sealed class SnapshotRemover : UntypedActor
{
    private readonly SnapshotDrivers _drivers;
    private readonly Queue<DiscardSnapshotDirectory> _waiting = [];
    private readonly HashSet<DiscardSnapshotDirectory> _failed = [];
    private readonly List<IActorRef> _cleaning = [];
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private bool _busy;

    public SnapshotRemover(SnapshotDrivers drivers) => _drivers = drivers;

    public static Props Props(SnapshotDrivers drivers) => Akka.Actor.Props.Create(() => new SnapshotRemover(drivers));

    private sealed record Removed(DiscardSnapshotDirectory What, RuntimeFault? Fault);

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case DiscardSnapshotDirectory discard:
                _waiting.Enqueue(discard);
                RemoveNext();
                break;
            case CleanSnapshots:
                foreach (var failed in _failed) _waiting.Enqueue(failed);
                _failed.Clear();
                _cleaning.Add(Sender);
                RemoveNext();
                break;
            case Removed removed:
                if (removed.Fault is { } fault)
                {
                    _failed.Add(removed.What);
                    _log.Warning("Snapshot directory {Snapshotter}/{Number} stays until somebody cleans up: {Fault}",
                        removed.What.Snapshotter, removed.What.Number, fault.Message);
                }
                _busy = false;
                RemoveNext();
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private void RemoveNext()
    {
        if (_busy) return;
        if (!_waiting.TryDequeue(out var next))
        {
            foreach (var caller in _cleaning) caller.Tell(new SnapshotsCleaned());
            _cleaning.Clear();
            return;
        }
        _busy = true;
        Task.Run(() => _drivers.Remove(next.Snapshotter, next.Number))
            .PipeTo(Self, success: () => new Removed(next, null), failure: cause => new Removed(next, RuntimeFault.From(cause)));
    }
}
