using System.Collections.Immutable;
using Akka.Actor;
using Runtime.Actors.Entities;
using Runtime.Actors.Journal;
using Runtime.Actors.Namespaces;
using Runtime.Faults;

namespace Runtime.Actors.Snapshots;

/// <summary>Space manager to snapshot manager: every live snapshot of the journal is back.</summary>
/// <param name="IsComplete">False when one could not be read.</param>
internal sealed record SnapshotsRecovered(NamespaceName Space, bool IsComplete);

/// <summary>
/// The snapshots of one namespace: creates, finds and supervises their actors, and decides what concerns several of them, a parent
/// and its children. Parent: SnapshotManager.
/// </summary>
public sealed class SnapshotSpaceManager : EntityManager
{
    /// <summary>Of a key or name. Sized for image references and chain ids with words around them.</summary>
    private const int KeyLengthMax = 1024;

    private readonly SnapshotDrivers _drivers;
    private readonly IActorRef _remover;
    private readonly ReadModel<SnapshotView> _views;
    private readonly IJournalCatalog _catalog;
    private readonly TimeProvider _clock;

    // What is decided but not yet in the read model: parents that get a child, and snapshots that go.
    private readonly Dictionary<string, int> _gettingChild = [];
    private readonly HashSet<string> _going = [];
    private bool _ready;
    private bool _complete = true;

    public SnapshotSpaceManager(
        NamespaceName space, SnapshotDrivers drivers, IActorRef remover, ReadModel<SnapshotView> views, IJournalCatalog catalog,
        TimeProvider clock)
        : base(SnapshotActor.Kind, space, catalog)
    {
        _drivers = drivers;
        _remover = remover;
        _views = views;
        _catalog = catalog;
        _clock = clock;
    }

    public static Props Props(
        NamespaceName space, SnapshotDrivers drivers, IActorRef remover, ReadModel<SnapshotView> views, IJournalCatalog catalog,
        TimeProvider clock) =>
        Akka.Actor.Props.Create(() => new SnapshotSpaceManager(space, drivers, remover, views, catalog, clock));

    protected override Props PropsFor(string entityId) =>
        SnapshotActor.Props(Space, entityId, _drivers, _remover, _views, _clock);

    protected override bool Creates(IEntityCommand command) =>
        command is AdoptSnapshot or SnapshotRequest { Command: PrepareSnapshot or ViewSnapshot };

    protected override object MissingReply(IEntityCommand command) =>
        new Rejected(Missing(command is SnapshotRequest request ? request.Command.EntityId : command.EntityId));

    protected override void OnReady()
    {
        _ready = true;
        Context.Parent.Tell(new SnapshotsRecovered(Space, _complete));
    }

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case ISnapshotCommand command when _ready:
                if (Refuse(command) is { } fault) Sender.Tell(new Rejected(fault));
                break;
            case Terminated when !_ready:
                _complete = false;
                base.OnReceive(message);
                break;
            default:
                base.OnReceive(message);
                break;
        }
    }

    protected override void OnOther(object message)
    {
        switch (message)
        {
            case SnapshotTurnOver over:
                End(over.Turn);
                over.Turn.Caller.Tell(over.Reply is SnapshotReady ? MountsOf(over.Turn.EntityId) : over.Reply);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    /// <summary>Begins what the command asks for; the fault when it cannot be.</summary>
    private RuntimeFault? Refuse(ISnapshotCommand command)
    {
        if (!_drivers.TryGet(command.Snapshotter, out _))
            return new(FaultKind.InvalidArgument, "snapshot.no-snapshotter", $"There is no snapshotter \"{command.Snapshotter}\".");
        if (command is CleanSnapshots)
        {
            _remover.Forward(command);
            return null;
        }
        if (command.EntityId.Length is 0 or > KeyLengthMax)
            return new(FaultKind.InvalidArgument, "snapshot.invalid-key", $"A snapshot's key has 1 to {KeyLengthMax} characters.");
        var id = IdOf(command, command.EntityId);
        return command switch
        {
            GetSnapshotMounts => Answer(MountsOf(id)),
            GetSnapshotUsage => BeginUsage(id),
            PrepareSnapshot prepare when IsThere(prepare) is { } name => new RuntimeFault(
                FaultKind.AlreadyExists, "snapshot.target-exists", $"target snapshot \"{name}\": already exists"),
            PrepareSnapshot prepare => BeginOn(prepare, prepare.Parent),
            ViewSnapshot view => BeginOn(view, view.Parent),
            CommitSnapshot commit => BeginCommit(commit),
            RemoveSnapshot => BeginRemove(command, id),
            _ => Begin(command, ""),
        };
    }

    /// <summary>What the snapshot is to become, if that is there: then nobody has to fill another one.</summary>
    private string? IsThere(PrepareSnapshot prepare) =>
        prepare.Labels.TryGetValue(SnapshotRef.Label, out var name) && _views.Find(Space, IdOf(prepare, name)) is not null ? name : null;

    private RuntimeFault? BeginOn(ISnapshotCommand command, string parent) =>
        parent.Length > 0 && FaultOfParent(command, parent) is { } fault ? fault : Begin(command, parent);

    private RuntimeFault? BeginCommit(CommitSnapshot commit)
    {
        if (commit.Name.Length is 0 or > KeyLengthMax)
            return new(FaultKind.InvalidArgument, "snapshot.invalid-name", $"A snapshot's name has 1 to {KeyLengthMax} characters.");
        if (_views.Find(Space, IdOf(commit, commit.Name)) is not null)
            return new(FaultKind.AlreadyExists, "snapshot.exists", $"Snapshot \"{commit.Name}\" exists already.");
        if (commit.Parent.Length > 0 && !_drivers[commit.Snapshotter].StacksApart)
            return new(FaultKind.FailedPrecondition, "snapshot.cannot-stack",
                $"The snapshotter {commit.Snapshotter} cannot stack what was written apart.");
        return BeginOn(commit, commit.Parent);
    }

    private RuntimeFault? BeginRemove(ISnapshotCommand command, string id)
    {
        if (_gettingChild.ContainsKey(id)
            || _views.In(Space).Values.Any(view => view.Parent == command.EntityId && view.Snapshotter == command.Snapshotter))
        {
            return new(
                FaultKind.FailedPrecondition, "snapshot.has-children", $"Snapshot \"{command.EntityId}\": cannot remove snapshot with child.");
        }
        _going.Add(id);
        return Begin(command, "");
    }

    private RuntimeFault? BeginUsage(string id)
    {
        if (_views.Find(Space, id) is not { } view) return Missing(id);
        var caller = Sender;
        Task.Run(() => _drivers.Usage(view, CancellationToken.None)).PipeTo(
            caller, Self,
            usage => new SnapshotUsage(view.Key, usage.Bytes, usage.Inodes),
            cause => new Rejected(RuntimeFault.From(cause)));
        return null;
    }

    private RuntimeFault? Begin(ISnapshotCommand command, string parent)
    {
        var turn = new SnapshotTurn(IdOf(command, command.EntityId), parent.Length > 0 ? IdOf(command, parent) : "", Sender);
        var isNew = command is PrepareSnapshot or ViewSnapshot;
        var request = new SnapshotRequest(
            Space, turn.EntityId, command,
            isNew ? _drivers.NextNumber(command.Snapshotter) : 0,
            isNew && parent.Length > 0 ? ChainFrom(turn.ParentId) : []);
        if (turn.ParentId.Length > 0) _gettingChild[turn.ParentId] = _gettingChild.GetValueOrDefault(turn.ParentId) + 1;
        Self.Tell(request, Context.ActorOf(SnapshotTurnActor.Props(turn)));
        return null;
    }

    private void End(SnapshotTurn turn)
    {
        _going.Remove(turn.EntityId);
        if (turn.ParentId.Length > 0 && --_gettingChild[turn.ParentId] == 0) _gettingChild.Remove(turn.ParentId);
    }

    private RuntimeFault? Answer(object reply)
    {
        Sender.Tell(reply);
        return null;
    }

    private RuntimeFault? FaultOfParent(ISnapshotCommand command, string parent)
    {
        var id = IdOf(command, parent);
        if (_going.Contains(id) || _views.Find(Space, id) is not { } view) return Missing(parent);
        return view.Kind is SnapshotKind.Committed
            ? null
            : new(FaultKind.InvalidArgument, "snapshot.parent-not-committed",
                $"Snapshot \"{parent}\" is {view.Kind}: only a committed one can be a parent.");
    }

    private object MountsOf(string id)
    {
        if (_views.Find(Space, id) is not { } view) return new Rejected(Missing(id));
        return view.Kind is SnapshotKind.Committed
            ? new Rejected(FaultKind.FailedPrecondition, "snapshot.wrong-kind",
                $"Snapshot \"{view.Key}\" is committed: make a view of it, or an active snapshot on it.")
            : new SnapshotMounts(view.Key, _drivers[view.Snapshotter].Mounts(
                view.Kind, view.Number, view.Parent.Length > 0 ? ChainFrom(SnapshotId.Of(view.Snapshotter, view.Parent)) : []));
    }

    /// <summary>Numbers of a committed snapshot, its parent and so on.</summary>
    private ImmutableArray<long> ChainFrom(string id)
    {
        var chain = ImmutableArray.CreateBuilder<long>();
        while (_views.Find(Space, id) is { } view)
        {
            chain.Add(view.Number);
            if (view.Parent.Length == 0) break;
            id = SnapshotId.Of(view.Snapshotter, view.Parent);
        }
        return chain.ToImmutable();
    }

    private static string IdOf(ISnapshotCommand command, string key) => SnapshotId.Of(command.Snapshotter, key);

    private static RuntimeFault Missing(string key) =>
        new(FaultKind.NotFound, "snapshot.not-found", $"Snapshot \"{key}\" does not exist.");
}
