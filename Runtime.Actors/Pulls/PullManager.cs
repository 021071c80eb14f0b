using Akka.Actor;
using Runtime.Actors.Entities;
using Runtime.Faults;
using Runtime.Oci.Images;

namespace Runtime.Actors.Pulls;

/// <summary>
/// The pulls of one namespace. Callers with the same reference, platform and credentials share one; other credentials get a pull of
/// their own, because the registry has to judge them, and share only the downloads. Parent: the namespace. A restart loses the pulls:
/// what they have on disk stays, and callers try again.
/// </summary>
public sealed class PullManager : UntypedActor
{
    public const string Name = "pulls";

    private readonly IPullPipeline _pipeline;
    private readonly ReadModel<PullView> _views;
    private readonly TimeProvider _clock;
    private readonly Dictionary<PullKey, IActorRef> _pulls = [];

    public PullManager(IPullPipeline pipeline, ReadModel<PullView> views, TimeProvider clock)
    {
        _pipeline = pipeline;
        _views = views;
        _clock = clock;
    }

    public static Props Props(IPullPipeline pipeline, ReadModel<PullView> views, TimeProvider clock) =>
        Akka.Actor.Props.Create(() => new PullManager(pipeline, views, clock));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case PullImage pull when ImageReference.TryParse(pull.EntityId, out var reference) && reference.ToString() == pull.EntityId:
                Find(new PullKey(pull.EntityId, pull.Platform, pull.Auth)).Forward(pull);
                break;
            case PullImage pull:
                Sender.Tell(new Rejected(FaultKind.InvalidArgument, "image.invalid-reference",
                    $"\"{pull.EntityId}\" is not a normalised image reference."));
                break;
            case CancelPull cancel:
                // Which of them it was that went away, each pull can see.
                foreach (var (key, pull) in _pulls)
                {
                    if (key.Reference == cancel.EntityId) pull.Forward(cancel);
                }
                break;
            case PullEnded ended:
                if (_pulls.TryGetValue(ended.Key, out var current) && current.Equals(Sender)) _pulls.Remove(ended.Key);
                Sender.Tell(ReleaseEntity.Instance);
                break;
            case Terminated stopped:
                if (_pulls.FirstOrDefault(pull => pull.Value.Equals(stopped.ActorRef)) is { Key: { } lost }) _pulls.Remove(lost);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private IActorRef Find(PullKey key)
    {
        if (_pulls.TryGetValue(key, out var known)) return known;
        var pull = Context.ActorOf(PullActor.Props(key, _pipeline, _views, _clock));
        Context.Watch(pull);
        return _pulls[key] = pull;
    }
}

/// <summary>What callers have to have in common to share a pull.</summary>
internal sealed record PullKey(string Reference, string Platform, RegistryAuth? Auth);

/// <summary>Pull to manager: send nothing more, then <see cref="ReleaseEntity"/>.</summary>
internal sealed record PullEnded(PullKey Key);
