using Akka.Actor;
using Akka.Event;
using Runtime.Actors.Entities;
using Runtime.Actors.Journal;
using Runtime.Actors.Namespaces;

namespace Runtime.Actors.Snapshots;

/// <summary>
/// The one address for every <see cref="ISnapshotCommand"/>: passes it to its namespace's manager. Commands wait until every
/// namespace has recovered, because directories are numbered across namespaces. Then directories that the journal does not know,
/// left by a crash, are removed. Parent: the system, under <c>/user/snapshots</c>.
/// </summary>
public sealed class SnapshotManager : UntypedActor, IWithUnboundedStash, IWithTimers
{
    public const string Name = "snapshots";

    private static readonly TimeSpan CatalogueRetry = TimeSpan.FromSeconds(1);

    private readonly SnapshotDrivers _drivers;
    private readonly ReadModel<SnapshotView> _views;
    private readonly IJournalCatalog _catalog;
    private readonly TimeProvider _clock;
    private readonly HashSet<NamespaceName> _recovering = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly IActorRef _remover;
    private bool _ready;
    private bool _everyOneRecovered = true;

    public SnapshotManager(
        SnapshotDrivers drivers, ReadModel<SnapshotView> views, IJournalCatalog catalog, TimeProvider clock)
    {
        _drivers = drivers;
        _views = views;
        _catalog = catalog;
        _clock = clock;
        _remover = Context.ActorOf(SnapshotRemover.Props(drivers), "remover");
    }

    public static Props Props(
        SnapshotDrivers drivers, ReadModel<SnapshotView> views, IJournalCatalog catalog, TimeProvider clock) =>
        Akka.Actor.Props.Create(() => new SnapshotManager(drivers, views, catalog, clock));

    private sealed record ReadCatalogue;
    private sealed record Catalogued(IReadOnlyList<string> PersistenceIds);
    private sealed record CatalogueFailed(Exception Cause);

    public IStash Stash { get; set; } = null!;

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart() => Self.Tell(new ReadCatalogue());

    protected override void PostStop()
    {
        _stopping.Cancel();
        _stopping.Dispose();
    }

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case ReadCatalogue:
                _catalog.LiveAsync($"{SnapshotActor.Kind}/", _stopping.Token)
                    .PipeTo(Self, success: ids => new Catalogued(ids), failure: cause => new CatalogueFailed(cause));
                break;
            case CatalogueFailed failed:
                _log.Error(failed.Cause, "Snapshots: the journal cannot be read; trying again in {Delay}", CatalogueRetry);
                Timers.StartSingleTimer(nameof(ReadCatalogue), new ReadCatalogue(), CatalogueRetry);
                break;
            case Catalogued found:
                foreach (var space in found.PersistenceIds.Select(SpaceOf).Distinct())
                {
                    _recovering.Add(space);
                    Find(space);
                }
                BecomeReadyIfRecovered();
                break;
            case SnapshotsRecovered recovered:
                _everyOneRecovered &= recovered.IsComplete;
                if (_recovering.Remove(recovered.Space)) BecomeReadyIfRecovered();
                break;
            case ISnapshotCommand command when _ready:
                Find(command.Space).Forward(command);
                break;
            case AwaitRecovery when _ready:
                Sender.Tell(EntitiesRecovered.Instance);
                break;
            case ISnapshotCommand or AwaitRecovery:
                Stash.Stash();
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private IActorRef Find(NamespaceName space)
    {
        var child = Context.Child(ChildName(space));
        return child.IsNobody()
            ? Context.ActorOf(SnapshotSpaceManager.Props(space, _drivers, _remover, _views, _catalog, _clock), ChildName(space))
            : child;
    }

    private void BecomeReadyIfRecovered()
    {
        if (_ready || _recovering.Count > 0) return;
        _ready = true;
        RemoveOrphans();
        Stash.UnstashAll();
    }

    private void RemoveOrphans()
    {
        if (!_everyOneRecovered)
        {
            // The directory of one that could not be read now looks like an orphan, and is none.
            _log.Warning("Snapshots: orphaned directories stay until the next start, because not every snapshot could be recovered");
            return;
        }
        foreach (var (driver, number) in _drivers.Orphans())
        {
            _log.Info("Snapshot directory {Snapshotter}/{Number}: nobody knows it, removing it", driver, number);
            _remover.Tell(new DiscardSnapshotDirectory(driver, number));
        }
    }

    private static string ChildName(NamespaceName space) => $"in-{space}";

    // kind/namespace/id
    private static NamespaceName SpaceOf(string persistenceId) => new(persistenceId.Split('/', 3)[1]);
}
