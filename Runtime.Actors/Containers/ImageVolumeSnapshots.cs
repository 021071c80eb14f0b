using System.Collections.Immutable;
using Akka.Actor;
using Runtime.Actors.Entities;
using Runtime.Actors.Snapshots;
using Runtime.Faults;
using Runtime.Linux.Mounts;

namespace Runtime.Actors.Containers;

/// <summary>
/// Views, or removes the views of, the images that a container has as volumes, one after the other; reports that as the
/// effect's outcome, and ends. Parent: ContainerActor. What it was at when the daemon ended is begun again, and found
/// done.
/// </summary>
internal sealed class ImageVolumeSnapshots : UntypedActor
{
    /// <summary>
    /// A snapshot is a directory and an entry of the journal: longer means that the snapshots' actor is gone.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly IEffect _effect;
    private readonly ContainerPlan _plan;
    private readonly IActorRef _snapshots;
    private readonly ImmutableArray<ImmutableArray<MountSpec>>.Builder _mounts = ImmutableArray.CreateBuilder<ImmutableArray<MountSpec>>();
    private int _done;

    public ImageVolumeSnapshots(IEffect effect, IActorRef snapshots)
    {
        _effect = effect;
        _plan = effect switch
        {
            ViewImageVolumes view => view.Plan,
            ReleaseImageVolumes release => release.Plan,
            _ => throw new ArgumentException($"{effect.GetType().Name} is not about image volumes.", nameof(effect)),
        };
        _snapshots = snapshots;
        Context.SetReceiveTimeout(Patience);
    }

    private ImageVolume Current => _plan.ImageVolumes[_done];

    private string Key => _plan.KeyOf(Current);

    public static Props Props(IEffect effect, IActorRef snapshots) =>
        Akka.Actor.Props.Create(() => new ImageVolumeSnapshots(effect, snapshots));

    protected override void PreStart() => Next();

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case SnapshotMounts viewed:
                _mounts.Add(viewed.Mounts);
                _done++;
                Next();
                break;
            case Rejected { Fault.Kind: FaultKind.AlreadyExists } when _effect is ViewImageVolumes:
                _snapshots.Tell(new GetSnapshotMounts(_plan.Space, Key, Current.Snapshotter));
                break;
            case SnapshotRemoved:
            case Rejected { Fault.Kind: FaultKind.NotFound } when _effect is ReleaseImageVolumes:
                _done++;
                Next();
                break;
            case Rejected refused:
                End(new EffectFailed(_effect, ImageVolumes.Failure(Current.Image, refused.Fault)));
                break;
            case ReceiveTimeout:
                End(new EffectFailed(_effect, ImageVolumes.Failure(Current.Image, new RuntimeFault(
                    FaultKind.DeadlineExceeded, "container.image-volume", $"The snapshot {Key} was not answered about in time."))));
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private void Next()
    {
        if (_done == _plan.ImageVolumes.Length)
        {
            End(new EffectDone(_effect, _effect is ViewImageVolumes ? new ImageVolumesViewed(_mounts.ToImmutable()) : null));
            return;
        }
        _snapshots.Tell(_effect is ViewImageVolumes
            ? new ViewSnapshot(_plan.Space, Key, Current.Snapshotter, Current.ChainId, ImmutableSortedDictionary<string, string>.Empty)
            : new RemoveSnapshot(_plan.Space, Key, Current.Snapshotter));
    }

    private void End(object outcome)
    {
        Context.Parent.Tell(outcome);
        Context.Stop(Self);
    }
}
