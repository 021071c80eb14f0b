using Akka.Actor;
using Akka.Event;
using Runtime.Actors.Journal;
using Runtime.Actors.Namespaces;
using Runtime.Faults;

namespace Runtime.Actors.Entities;

/// <summary>
/// Creates, finds and supervises the entities of one kind in one namespace: uniqueness is decided here and nowhere else.
/// At start it brings back every live entity of the journal; commands wait until all of them have recovered.
/// </summary>
public abstract class EntityManager : UntypedActor, IWithUnboundedStash, IWithTimers
{
    private static readonly TimeSpan BackoffMin = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan BackoffMax = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RestartsWithin = TimeSpan.FromMinutes(1);
    private const int RestartsMax = 3;

    private readonly Dictionary<string, IActorRef> _entities = [];
    private readonly Dictionary<IActorRef, string> _ids = [];
    private readonly Dictionary<string, int> _failures = [];
    private readonly HashSet<string> _recovering = [];
    private readonly Dictionary<IActorRef, string> _releasing = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly IJournalCatalog _catalog;
    private readonly string _prefix;
    private int _catalogueFailures;
    private bool _ready;

    protected EntityManager(string kind, NamespaceName space, IJournalCatalog catalog)
    {
        Space = space;
        _catalog = catalog;
        _prefix = EntityKey.Prefix(kind, space);
    }

    private sealed record Catalogued(IReadOnlyList<string> PersistenceIds);
    private sealed record CatalogueFailed(Exception Cause);
    private sealed record ReadCatalogue;
    private sealed record Revive(string EntityId);
    private sealed record Steady(string EntityId);

    public IStash Stash { get; set; } = null!;

    public ITimerScheduler Timers { get; set; } = null!;

    protected NamespaceName Space { get; }

    protected ILoggingAdapter Log { get; } = Context.GetLogger();

    /// <summary>The actor for one entity, new or recovered.</summary>
    protected abstract Props PropsFor(string entityId);

    /// <summary>True when a command for an id that nobody has may create its entity.</summary>
    protected abstract bool Creates(IEntityCommand command);

    /// <summary>Turns a command to the entity that it means, where another key than the id decides (a name in use).</summary>
    protected virtual IEntityCommand Resolve(IEntityCommand command) => command;

    /// <summary>The reply to a command for an id that nobody has.</summary>
    protected abstract object MissingReply(IEntityCommand command);

    /// <summary>A message that is not for one entity. By default nobody understands it.</summary>
    protected virtual void OnOther(object message) => Unhandled(message);

    /// <summary>
    /// The slice whose entities must be back first, because the effects that recovery runs again look at its read model; null for none.
    /// </summary>
    protected virtual string? RecoversAfter => null;

    /// <summary>Called once, when every entity of the journal has recovered.</summary>
    protected virtual void OnReady()
    {
    }

    /// <summary>
    /// Differs from the default in its limit: an entity that throws again and again after its restarts stops, and comes
    /// back with backoff, as one does whose journal failed. A restart keeps the commands that wait.
    /// </summary>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(
        RestartsMax, RestartsWithin, Akka.Actor.SupervisorStrategy.DefaultDecider);

    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(DeadLetter));
        if (RecoversAfter is { } slice) Context.Parent.Tell(new AwaitSliceRecovery(Space, slice));
        else Self.Tell(new ReadCatalogue());
    }

    protected override void PostStop()
    {
        _stopping.Cancel();
        _stopping.Dispose();
    }

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case EntitiesRecovered: // the slice that comes first
                Self.Tell(new ReadCatalogue());
                break;
            case ReadCatalogue:
                _catalog.LiveAsync(_prefix, _stopping.Token)
                    .PipeTo(Self, success: ids => new Catalogued(ids), failure: cause => new CatalogueFailed(cause));
                break;
            case CatalogueFailed failed:
                var pause = Backoff(++_catalogueFailures);
                Log.Error(failed.Cause, "{Prefix}: the journal cannot be read; trying again in {Delay}", _prefix, pause);
                Timers.StartSingleTimer(nameof(ReadCatalogue), new ReadCatalogue(), pause);
                break;
            case Catalogued found:
                foreach (var id in found.PersistenceIds) _recovering.Add(id[_prefix.Length..]);
                foreach (var id in _recovering.ToArray()) Spawn(id);
                BecomeReadyIfRecovered();
                break;
            case EntityRecovered recovered:
                // Recovering is not yet working: the failures count until it has lived for a while.
                if (_failures.ContainsKey(recovered.EntityId))
                    StartTimer(new Steady(recovered.EntityId), BackoffMax);
                if (_recovering.Remove(recovered.EntityId)) BecomeReadyIfRecovered();
                break;
            case EntityEnded ended:
                Release(ended.EntityId);
                break;
            case Terminated stopped:
                OnTerminated(stopped.ActorRef);
                break;
            case Steady steady:
                if (_entities.ContainsKey(steady.EntityId)) _failures.Remove(steady.EntityId);
                break;
            case Revive revive:
                if (!_entities.ContainsKey(revive.EntityId)) Spawn(revive.EntityId);
                break;
            // It was on its way to an entity that stopped: nobody else would answer.
            case DeadLetter { Message: IEntityCommand lost } letter:
                if (letter.Recipient.Path.Parent == Self.Path) letter.Sender.Tell(Restarting(lost));
                break;
            case DeadLetter:
                break;
            case IEntityCommand command when _ready:
                Route(Resolve(command));
                break;
            case AwaitRecovery when _ready:
                Sender.Tell(EntitiesRecovered.Instance);
                break;
            case IEntityCommand or AwaitRecovery:
                Stash.Stash();
                break;
            default:
                OnOther(message);
                break;
        }
    }

    /// <summary>Passes a command on to its entity, which is created when the command may do so.</summary>
    protected void Route(IEntityCommand command)
    {
        if (_entities.TryGetValue(command.EntityId, out var entity)) entity.Forward(command);
        else if (_releasing.ContainsValue(command.EntityId)) Stash.Stash(); // its successor may have the same name
        else if (_failures.ContainsKey(command.EntityId)) Sender.Tell(Restarting(command));
        else if (Creates(command)) Spawn(command.EntityId).Forward(command);
        else Sender.Tell(MissingReply(command));
    }

    private Rejected Restarting(IEntityCommand command) => new(FaultKind.Unavailable, "entity.restarting",
        $"{_prefix}{command.EntityId} failed and is being brought back; try again shortly.");

    private IActorRef Spawn(string id)
    {
        var entity = Context.ActorOf(PropsFor(id), Uri.EscapeDataString(id));
        Context.Watch(entity);
        _entities[id] = entity;
        _ids[entity] = id;
        return entity;
    }

    private void Release(string id)
    {
        if (!_entities.Remove(id, out var entity)) return;
        _ids.Remove(entity);
        _failures.Remove(id);
        if (_recovering.Remove(id)) BecomeReadyIfRecovered();
        _releasing[entity] = id;
        entity.Tell(ReleaseEntity.Instance);
    }

    // An entity that stops without having ended lost its journal for a moment: it comes back with backoff, alone.
    private void OnTerminated(IActorRef entity)
    {
        if (_releasing.Remove(entity))
        {
            Stash.UnstashAll();
            return;
        }
        if (!_ids.Remove(entity, out var id)) return;
        _entities.Remove(id);
        var failures = _failures[id] = _failures.GetValueOrDefault(id) + 1;
        var delay = Backoff(failures);
        Log.Warning("{Prefix}{EntityId}: stopped unexpectedly ({Failures}); back in {Delay}", _prefix, id, failures, delay);
        Timers.Cancel(new Steady(id));
        StartTimer(new Revive(id), delay);
        // One entity that cannot recover never holds up its siblings.
        if (_recovering.Remove(id)) BecomeReadyIfRecovered();
    }

    // The message is its own key: an entity's id could be that of another timer.
    private void StartTimer(object message, TimeSpan delay) => Timers.StartSingleTimer(message, message, delay);

    private static TimeSpan Backoff(int failures) =>
        TimeSpan.FromTicks(Math.Min(BackoffMin.Ticks << Math.Min(failures - 1, 10), BackoffMax.Ticks));

    private void BecomeReadyIfRecovered()
    {
        if (_ready || _recovering.Count > 0) return;
        _ready = true;
        OnReady();
        Stash.UnstashAll();
    }
}
