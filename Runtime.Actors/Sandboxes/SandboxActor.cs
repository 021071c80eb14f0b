using Akka.Actor;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;

namespace Runtime.Actors.Sandboxes;

/// <summary>Owns one sandbox from run to removal. Parent: SandboxManager. A restart loses only waiting callers.</summary>
public sealed class SandboxActor : EntityActor<SandboxState, SandboxView>
{
    private readonly SandboxSlice _slice;
    private readonly IActorRef _router;
    private readonly SandboxSteps _steps;
    private readonly List<CancellationToken> _callers = [];
    private bool _untaken;

    /// <param name="router">Takes commands for the containers: the namespace.</param>
    public SandboxActor(NamespaceName space, string id, SandboxSlice slice, IActorRef router)
        : base(SandboxSlice.Kind, space, id, SandboxState.New(space, slice.Options), slice.Views, slice.Clock)
    {
        _slice = slice;
        _router = router;
        _steps = new SandboxSteps(space, slice.Options, slice.Ports, slice.Clock);
    }

    public static Props Props(NamespaceName space, string id, SandboxSlice slice, IActorRef router) =>
        Akka.Actor.Props.Create(() => new SandboxActor(space, id, slice, router));

    protected override void OnCommand(object message)
    {
        if (message is StartUntaken) _untaken = false;
        if (message is RunSandbox run)
        {
            // The retry came between the start and the note that nobody was there for it: after that note it takes it.
            if (_untaken)
            {
                Self.Forward(message);
                return;
            }
            if (State.Life is SandboxLife.None or SandboxLife.Starting or SandboxLife.Untaken) _callers.Add(run.Caller);
        }
        base.OnCommand(message);
    }

    protected override bool IsForState(object message) => message is StartUntaken;

    protected override void OnAnswered(Answer answer)
    {
        if (answer.Join != SandboxState.RunJoin) return;
        if (answer.Reply is SandboxStarted && _callers.All(caller => caller.IsCancellationRequested))
        {
            _untaken = true;
            Self.Tell(StartUntaken.Instance);
        }
        if (answer.Reply is Rejected) Context.Parent.Tell(new SandboxNameReleased(EntityId));
        _callers.Clear();
    }

    protected override Task<object?> RunAsync(IEffect effect, CancellationToken stopping) => _steps.RunAsync(effect, stopping);

    protected override void Run(IEffect effect)
    {
        switch (effect)
        {
            case StopContainers or RemoveContainers:
                Context.ActorOf(ContainerSweep.Props(
                    Space, (IRetriedEffect)effect, EntityId, _router, _slice.Containers, _slice.Options.ContainersTimeout));
                break;
            case RetryNow:
                _steps.Wake();
                break;
            case RetryLater:
                _steps.ExpectSleep();
                base.Run(effect);
                break;
            default:
                base.Run(effect);
                break;
        }
    }

    protected override void PostStop()
    {
        base.PostStop();
        _steps.Dispose();
    }
}

/// <summary>Actor to itself: its callers had gone when it answered them.</summary>
public sealed record StartUntaken
{
    public static readonly StartUntaken Instance = new();
}

/// <summary>Actor to manager: the next run of the same pod and attempt gets another sandbox.</summary>
internal sealed record SandboxNameReleased(string SandboxId);
