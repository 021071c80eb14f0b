using Akka.Actor;
using Akka.Persistence;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;

namespace Runtime.Actors.Snapshots;

/// <summary>Owns one key of one snapshotter. Parent: SnapshotSpaceManager. A restart loses only waiting callers.</summary>
public sealed class SnapshotActor : EntityActor<SnapshotState, SnapshotView>
{
    public const string Kind = "snapshot";

    private readonly SnapshotDrivers _drivers;
    private readonly IActorRef _remover;

    public SnapshotActor(
        NamespaceName space, string id, SnapshotDrivers drivers, IActorRef remover, ReadModel<SnapshotView> views, TimeProvider clock)
        : base(Kind, space, id, new SnapshotState(space, id), views, clock)
    {
        _drivers = drivers;
        _remover = remover;
    }

    public static Props Props(
        NamespaceName space, string id, SnapshotDrivers drivers, IActorRef remover, ReadModel<SnapshotView> views,
        TimeProvider clock) =>
        Akka.Actor.Props.Create(() => new SnapshotActor(space, id, drivers, remover, views, clock));

    protected override void OnRecover(object message)
    {
        // Before the base class runs what is unfinished and tells the manager that this one has recovered.
        if (message is RecoveryCompleted && State is { Ended: false, Facts: { } facts })
            _drivers.Observe(facts.Snapshotter, facts.Number);
        base.OnRecover(message);
    }

    protected override bool IsForState(object message) => message is SnapshotCommitted or Rejected;

    protected override void Run(IEffect effect)
    {
        switch (effect)
        {
            case AdoptSnapshot adopt:
                Context.Parent.Tell(adopt, Self);
                break;
            case DiscardSnapshotDirectory discard:
                _remover.Tell(discard, Self);
                break;
            default:
                base.Run(effect);
                break;
        }
    }

    protected override Task<object?> RunAsync(IEffect effect, CancellationToken stopping)
    {
        switch (effect)
        {
            case MakeSnapshotDirectory make:
                _drivers[make.Snapshotter].Make(make.Kind, make.Number, make.Chain, stopping);
                return Task.FromResult<object?>(null);
            case AbandonUnpacking:
                return Task.FromResult<object?>(null);
            default:
                throw new System.Diagnostics.UnreachableException(effect.GetType().Name);
        }
    }
}
