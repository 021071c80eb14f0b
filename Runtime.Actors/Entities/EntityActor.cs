using Akka.Actor;
using Akka.Event;
using Akka.Persistence;
using Runtime.Actors.Namespaces;
using Runtime.Faults;

namespace Runtime.Actors.Entities;

/// <summary>
/// The shell around a pure state: stores what it decides, runs its effects, answers, keeps its view current.
/// Parent: an <see cref="EntityManager"/>. A restart loses only waiting callers, whose retry joins again.
/// </summary>
public abstract class EntityActor<TState, TView> : UntypedPersistentActor
    where TState : class, IEntityState<TState, TView>
    where TView : class
{
    private readonly Dictionary<string, List<IActorRef>> _waiting = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly TState _empty;
    private readonly ReadModel<TView> _views;
    private readonly TimeProvider _clock;
    private bool _endAnnounced;

    /// <param name="kind">First part of the persistence id, lower-kebab; frozen once released.</param>
    /// <param name="space">The namespace that the entity lives in.</param>
    /// <param name="id">The entity's id in its slice and namespace.</param>
    /// <param name="empty">The state before the first event.</param>
    /// <param name="views">The slice's read model, which this actor keeps current for its own id.</param>
    /// <param name="clock">Time, as decisions see it.</param>
    protected EntityActor(string kind, NamespaceName space, string id, TState empty, ReadModel<TView> views, TimeProvider clock)
    {
        Space = space;
        EntityId = id;
        State = _empty = empty;
        _views = views;
        _clock = clock;
        PersistenceId = EntityKey.PersistenceId(kind, space, id);
    }

    public override string PersistenceId { get; }

    protected NamespaceName Space { get; }

    protected string EntityId { get; }

    protected TState State { get; private set; }

    protected override void OnRecover(object message)
    {
        switch (message)
        {
            case IDomainEvent recorded:
                State = State.Apply(recorded);
                break;
            case RecoveryCompleted:
                // An id that is used again starts anew: an ended life is history, not state.
                if (State.Ended) State = _empty;
                Publish();
                Context.Parent.Tell(new EntityRecovered(EntityId));
                foreach (var effect in State.Unfinished()) Run(effect);
                break;
        }
    }

    protected override void OnCommand(object message)
    {
        switch (message)
        {
            case IEntityCommand or EffectDone or EffectFailed:
                Handle(message);
                break;
            case ReleaseEntity:
                Context.Stop(Self);
                break;
            default:
                if (IsForState(message)) Handle(message);
                else Unhandled(message);
                break;
        }
    }

    /// <summary>True for the slice's own messages (replies of other actors, timers) that the state decides about.</summary>
    protected virtual bool IsForState(object message) => false;

    /// <summary>Runs one effect away from the actor's thread. The result is the effect's outcome.</summary>
    /// <exception cref="FaultException">The effect failed in an expected way.</exception>
    protected abstract Task<object?> RunAsync(IEffect effect, CancellationToken stopping);

    /// <summary>Runs an effect; overridden for effects that are a message to another actor.</summary>
    protected virtual void Run(IEffect effect)
    {
        var self = Self;
        _ = ReportAsync();

        async Task ReportAsync()
        {
            try
            {
                var outcome = await Task.Run(() => RunAsync(effect, _stopping.Token)).ConfigureAwait(false);
                self.Tell(new EffectDone(effect, outcome), self);
            }
            // Whatever went wrong becomes a fault that the state decides about: an effect has no other caller.
            catch (Exception cause) when (cause is not OutOfMemoryException)
            {
                self.Tell(new EffectFailed(effect, RuntimeFault.From(cause)), self);
            }
        }
    }

    protected override void PostStop()
    {
        _stopping.Cancel();
        _stopping.Dispose();
        var stopped = new Rejected(FaultKind.Unavailable, "entity.stopped",
            $"{PersistenceId} stopped before the operation's outcome was known; try again.");
        foreach (var waiting in _waiting.Values.SelectMany(callers => callers)) waiting.Tell(stopped, Self);
        _waiting.Clear();
        base.PostStop();
    }

    private void Handle(object message)
    {
        var decision = State.Decide(message, _clock.GetUtcNow());
        var caller = Sender;
        if (message is EffectFailed { Fault: { Kind: FaultKind.Unknown } fault } failed)
            Log.Warning("{PersistenceId}: {Effect} failed unexpectedly: {Message}", PersistenceId, failed.Effect, fault.Message);
        if (decision.Join is { } join)
        {
            if (!_waiting.TryGetValue(join, out var callers)) _waiting[join] = callers = [];
            callers.Add(caller);
        }
        if (decision.Events.IsEmpty)
        {
            Finish(decision, caller);
            return;
        }
        var left = decision.Events.Length;
        PersistAll(decision.Events, stored =>
        {
            State = State.Apply(stored);
            if (--left == 0) Finish(decision, caller);
        });
    }

    private void Finish(Decision decision, IActorRef caller)
    {
        Publish();
        foreach (var effect in decision.Effects) Run(effect);
        if (decision.Reply is { } reply) caller.Tell(reply, Self);
        foreach (var answer in decision.Answers)
        {
            if (!_waiting.Remove(answer.Join, out var callers)) continue;
            foreach (var waiting in callers) waiting.Tell(answer.Reply, Self);
        }
        AnnounceEnd();
    }

    private void Publish()
    {
        var view = State.Ended ? null : State.View;
        if (!ReferenceEquals(_views.Find(Space, EntityId), view)) _views.Set(Space, EntityId, view);
    }

    private void AnnounceEnd()
    {
        if (!State.Ended || _endAnnounced) return;
        _endAnnounced = true;
        Context.Parent.Tell(new EntityEnded(EntityId));
    }
}
