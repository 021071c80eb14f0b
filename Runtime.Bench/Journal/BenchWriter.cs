using System.Diagnostics;
using Akka.Actor;
using Akka.Persistence;

namespace Runtime.Bench.Journal;

/// <summary>A persistent actor that writes one event after the other, and times each from Persist to its callback.</summary>
internal sealed class BenchWriter(string persistenceId) : UntypedPersistentActor
{
    private double[] _timesMs = [];
    private IActorRef _asker = ActorRefs.Nobody;
    private long _began;
    private int _written;
    private int _recovered;

    public static Props Props(string persistenceId) => Akka.Actor.Props.Create(() => new BenchWriter(persistenceId));

    /// <summary>Answers the times in ms, one for each event.</summary>
    public sealed record Write(int Count);

    /// <summary>Answers how many events were recovered, once they are.</summary>
    public sealed record Recovered
    {
        public static readonly Recovered Instance = new();
    }

    private sealed record Next
    {
        public static readonly Next Instance = new();
    }

    public override string PersistenceId { get; } = persistenceId;

    public override Recovery Recovery { get; } = new(SnapshotSelectionCriteria.None);

    protected override void OnRecover(object message)
    {
        if (message is BenchEvent) _recovered++;
    }

    protected override void OnCommand(object message)
    {
        switch (message)
        {
            case Write write:
                (_asker, _timesMs, _written) = (Sender, new double[write.Count], 0);
                Self.Tell(Next.Instance);
                break;
            case Next:
                _began = Stopwatch.GetTimestamp();
                Persist(BenchEvent.Of(_written), Stored);
                break;
            case Recovered:
                Sender.Tell(_recovered);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr) => _asker.Tell(new Status.Failure(cause));

    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr) => _asker.Tell(new Status.Failure(cause));

    protected override void OnRecoveryFailure(Exception reason, object? message = null) => Console.Error.WriteLine(reason);

    private void Stored(BenchEvent stored)
    {
        _timesMs[_written] = Stopwatch.GetElapsedTime(_began).TotalMilliseconds;
        if (++_written < _timesMs.Length) Self.Tell(Next.Instance);
        else _asker.Tell(_timesMs);
    }
}
