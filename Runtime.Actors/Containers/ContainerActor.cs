using System.Collections.Immutable;
using Akka.Actor;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Snapshots;

namespace Runtime.Actors.Containers;

/// <summary>Owns one container from create to removal. Parent: ContainerManager. A restart loses only waiting callers.</summary>
internal sealed class ContainerActor : EntityActor<ContainerState, ContainerView>
{
    private readonly ContainerSlice _slice;
    private readonly ContainerSteps _steps;

    public ContainerActor(NamespaceName space, string id, ContainerSlice slice, ContainerSteps steps)
        : base(ContainerSlice.Kind, space, id, ContainerState.Empty, slice.Views, slice.Clock)
    {
        _slice = slice;
        _steps = steps;
    }

    public static Props Props(NamespaceName space, string id, ContainerSlice slice, ContainerSteps steps) =>
        Akka.Actor.Props.Create(() => new ContainerActor(space, id, slice, steps));

    protected override bool IsForState(object message) => message is SnapshotMounts or SnapshotRemoved or Rejected;

    protected override void OnAnswered(Answer answer)
    {
        if (answer is { Join: ContainerState.CreateJoin, Reply: Rejected }) Context.Parent.Tell(new ContainerNameReleased(EntityId));
    }

    protected override Task<object?> RunAsync(IEffect effect, CancellationToken stopping) => _steps.RunAsync(effect, stopping);

    protected override void Run(IEffect effect)
    {
        switch (effect)
        {
            case PrepareRootfs prepare:
                _slice.Ports.Snapshots.Tell(new PrepareSnapshot(
                    Space, EntityId, prepare.Plan.Snapshotter, prepare.Plan.ChainId, ImmutableSortedDictionary<string, string>.Empty));
                break;
            case ViewImageVolumes or ReleaseImageVolumes:
                Context.ActorOf(ImageVolumeSnapshots.Props(effect, _slice.Ports.Snapshots));
                break;
            case FindRootfs find:
                _slice.Ports.Snapshots.Tell(new GetSnapshotMounts(Space, EntityId, find.Plan.Snapshotter));
                break;
            case ReleaseRootfs release:
                _slice.Ports.Snapshots.Tell(new RemoveSnapshot(Space, EntityId, release.Plan.Snapshotter));
                break;
            default:
                base.Run(effect);
                break;
        }
    }
}

/// <summary>Actor to manager: it could not be created; the next try of the same name gets another container.</summary>
internal sealed record ContainerNameReleased(string ContainerId);
