using Akka.Actor;
using Runtime.Actors.Containers;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Faults;

namespace Runtime.Actors.Sandboxes;

/// <summary>
/// Has every container of a sandbox stopped or removed, reports that as the effect's outcome, and ends. Parent: SandboxActor.
/// </summary>
/// <remarks>
/// 1. A command about a container that nobody has: its answer says that the containers have been recovered, so that the
/// read model is complete. 2. One command for each container. 3. Their answers.
/// </remarks>
internal sealed class ContainerSweep : UntypedActor
{
    private readonly NamespaceName _space;
    private readonly IRetriedEffect _effect;
    private readonly string _sandboxId;
    private readonly IActorRef _router;
    private readonly ReadModel<ContainerView> _containers;
    private bool _listed;
    private int _unanswered;
    private RuntimeFault? _fault;

    public ContainerSweep(
        NamespaceName space, IRetriedEffect effect, string sandboxId, IActorRef router, ReadModel<ContainerView> containers,
        TimeSpan limit)
    {
        _space = space;
        _effect = effect;
        _sandboxId = sandboxId;
        _router = router;
        _containers = containers;
        Context.SetReceiveTimeout(limit);
    }

    public static Props Props(
        NamespaceName space, IRetriedEffect effect, string sandboxId, IActorRef router, ReadModel<ContainerView> containers,
        TimeSpan limit) =>
        Akka.Actor.Props.Create(() => new ContainerSweep(space, effect, sandboxId, router, containers, limit));

    protected override void PreStart() => _router.Tell(new StopContainer(_space, _sandboxId, TimeSpan.Zero));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case ContainerStopped or ContainerRemoved or Rejected when !_listed:
                _listed = true;
                foreach (var id in Ids()) Command(id);
                EndIfAnswered();
                break;
            case ContainerStopped or ContainerRemoved:
                _unanswered--;
                EndIfAnswered();
                break;
            case Rejected refused:
                _fault ??= refused.Fault;
                _unanswered--;
                EndIfAnswered();
                break;
            case ReceiveTimeout:
                End(new RuntimeFault(FaultKind.DeadlineExceeded, "sandbox.containers-timeout",
                    $"The containers of sandbox {_sandboxId} did not end in time; {_unanswered} are left."));
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private IEnumerable<string> Ids() => _containers.In(_space).Values
        .Where(container => container.SandboxId == _sandboxId)
        .Select(container => container.Id);

    private void Command(string id)
    {
        _unanswered++;
        _router.Tell(_effect is RemoveContainers
            ? new RemoveContainer(_space, id)
            : new StopContainer(_space, id, TimeSpan.Zero));
    }

    private void EndIfAnswered()
    {
        if (_unanswered == 0) End(_fault);
    }

    private void End(RuntimeFault? fault)
    {
        Context.Parent.Tell(fault is null ? new EffectDone(_effect, null) : new EffectFailed(_effect, fault));
        Context.Stop(Self);
    }
}
