using Akka.Actor;
using Akka.Event;
using Akka.Persistence;
using Runtime.Actors.Chaos;
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
    private readonly EntityChanges _changes = EntityChanges.Of(Context.System);
    private readonly ChaosEngine _chaos = ChaosEngine.Of(Context.System);
    private Handling? _current;
    private bool _acted;
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

    /// <summary>The message that is being decided about or stored; Akka holds the next ones back meanwhile.</summary>
    private sealed record Handling(object Message, IActorRef Caller, Decision Decision, TView? Before);

    // Of this incarnation: an effect that an actor began before its restart runs again after it, and only then counts.
    private sealed record EffectReported(object By, object Outcome);

    // What chaos holds back for a while: an effect that is to run, or the outcome of one that has.
    private sealed record Delayed(object By, object Message);

    public override string PersistenceId { get; }

    // An entity's life is a few dozen events: it takes no snapshots, and asks for none.
    public override Recovery Recovery { get; } = new(SnapshotSelectionCriteria.None);

    protected NamespaceName Space { get; }

    protected string EntityId { get; }

    protected TState State { get; private set; }

    protected override void OnRecover(object message)
    {
        switch (message)
        {
            case IDomainEvent recorded:
                BeginAnewIfEnded();
                State = State.Apply(recorded);
                break;
            case RecoveryCompleted:
                BeginAnewIfEnded();
                Publish();
                Context.Parent.Tell(new EntityRecovered(EntityId));
                foreach (var effect in State.Unfinished()) Begin(effect);
                break;
        }
    }

    protected override void OnCommand(object message)
    {
        switch (message)
        {
            // The manager keeps it for the next entity with this id: what has ended decides no more.
            case IEntityCommand when _endAnnounced:
                Context.Parent.Forward(message);
                break;
            case EffectReported reported:
                if (ReferenceEquals(reported.By, this)) Conclude(reported.Outcome);
                break;
            case EffectDone or EffectFailed:
                Conclude(message);
                break;
            case Delayed delayed:
                if (!ReferenceEquals(delayed.By, this)) break;
                if (delayed.Message is IEffect effect) Run(effect);
                else Handle(delayed.Message);
                break;
            case IEntityCommand:
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
        var stopping = _stopping.Token;
        _ = ReportAsync();

        async Task ReportAsync()
        {
            try
            {
                var outcome = await Task.Run(() => RunAsync(effect, stopping)).ConfigureAwait(false);
                self.Tell(new EffectReported(this, new EffectDone(effect, outcome)), self);
            }
            // Whatever went wrong becomes a fault that the state decides about: an effect has no other caller.
            catch (Exception cause) when (cause is not OutOfMemoryException)
            {
                self.Tell(new EffectReported(this, new EffectFailed(effect, RuntimeFault.From(cause))), self);
            }
        }
    }

    /// <summary>An answer was given, to those who waited for it or to nobody.</summary>
    protected virtual void OnAnswered(Answer answer)
    {
    }

    protected override void PostStop()
    {
        _stopping.Cancel();
        _stopping.Dispose();
        var stopped = new Rejected(FaultKind.Unavailable, "entity.stopped",
            $"{PersistenceId} stopped before the operation's outcome was known; try again.");
        if (_current is { Message: IEntityCommand, Decision.Join: null } current) current.Caller.Tell(stopped, Self);
        _current = null;
        foreach (var waiting in _waiting.Values.SelectMany(callers => callers)) waiting.Tell(stopped, Self);
        _waiting.Clear();
        base.PostStop();
    }

    /// <summary>
    /// Nothing was stored and nothing was done. A command is answered so. Anything else, above all an effect's outcome,
    /// must not be lost: the actor stops, its manager brings it back after a while, and recovery runs the effect again.
    /// </summary>
    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr)
    {
        if (_current is not { } current) return; // a further event of the same decision
        Log.Warning("{PersistenceId}: {Message} was not stored: {Cause}", PersistenceId, current.Message.GetType().Name, cause.Message);
        if (current.Decision.Join is { } join && _waiting.TryGetValue(join, out var callers))
        {
            callers.RemoveAt(callers.Count - 1); // the one whom Handle added
            if (callers.Count == 0) _waiting.Remove(join);
        }
        if (current.Message is IEntityCommand) current.Caller.Tell(new Rejected(RuntimeFault.From(cause)), Self);
        _current = null;
        if (current.Message is IEntityCommand) ReleaseIfNothing();
        else Context.Stop(Self);
    }

    private void Handle(object message)
    {
        var caller = Sender;
        _current = new Handling(message, caller, Decision.Nothing, State.View);
        var decision = State.Decide(message, _clock.GetUtcNow());
        _current = new Handling(message, caller, decision, State.View);
        if (message is EffectFailed { Fault: { Kind: FaultKind.Unknown } fault } failed)
            Log.Warning("{PersistenceId}: {Effect} failed unexpectedly: {Message}", PersistenceId, failed.Effect.GetType().Name, fault.Message);
        if (decision.Join is { } join)
        {
            if (!_waiting.TryGetValue(join, out var callers)) _waiting[join] = callers = [];
            callers.Add(caller);
        }
        if (decision.Events.IsEmpty)
        {
            Finish(_current);
            return;
        }
        var left = decision.Events.Length;
        PersistAll(decision.Events, stored =>
        {
            State = State.Apply(stored);
            if (--left == 0) Finish(_current);
        });
    }

    private void Finish(Handling handled)
    {
        Publish();
        var decision = handled.Decision;
        if (!decision.Events.IsEmpty)
        {
            _changes.Publish(new EntityChange(
                Space, EntityId, decision.Events, handled.Before, State.Ended ? null : State.View, _clock.GetUtcNow()));
        }
        foreach (var effect in decision.Effects) Begin(effect);
        if (decision.Reply is { } reply) handled.Caller.Tell(reply, Self);
        foreach (var answer in decision.Answers)
        {
            if (_waiting.Remove(answer.Join, out var callers))
                foreach (var waiting in callers) waiting.Tell(answer.Reply, Self);
            OnAnswered(answer);
        }
        _current = null;
        if (State.Ended) AnnounceEnd();
        else if (handled.Message is IEntityCommand) ReleaseIfNothing();
    }

    private void Begin(IEffect effect)
    {
        _acted = true;
        if (_chaos.At(ChaosPlace.Running, effect.GetType().Name, PersistenceId) is not { } strike) Run(effect);
        else if (strike.Action is ChaosAction.Delay) HoldBack(effect, strike.Delay);
        else Self.Tell(new EffectReported(this, Struck(effect, strike)));
    }

    private void Conclude(object outcome)
    {
        if (outcome is not EffectDone { Effect: var effect }
            || _chaos.At(ChaosPlace.Ran, effect.GetType().Name, PersistenceId) is not { } strike) Handle(outcome);
        else if (strike.Action is ChaosAction.Delay) HoldBack(outcome, strike.Delay);
        else Handle(Struck(effect, strike));
    }

    private void HoldBack(object message, TimeSpan delay)
    {
        var self = Self;
        _ = Task.Delay(delay, _clock, _stopping.Token).ContinueWith(
            _ => self.Tell(new Delayed(this, message), self), CancellationToken.None,
            TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
    }

    private static EffectFailed Struck(IEffect effect, Strike strike) => strike.Action is ChaosAction.Error
        ? new EffectFailed(effect, ChaosEngine.Injected(effect.GetType().Name))
        : throw new ChaosException(effect.GetType().Name);

    // An id that is used again starts anew: a life that has ended is history, not state.
    private void BeginAnewIfEnded()
    {
        if (State.Ended) State = _empty;
    }

    // A command that was refused before anything came into being leaves no actor behind.
    private void ReleaseIfNothing()
    {
        if (ReferenceEquals(State, _empty) && !_acted && _waiting.Count == 0) AnnounceEnd();
    }

    private void Publish()
    {
        var view = State.Ended ? null : State.View;
        if (!ReferenceEquals(_views.Find(Space, EntityId), view)) _views.Set(Space, EntityId, view);
    }

    private void AnnounceEnd()
    {
        if (_endAnnounced) return;
        _endAnnounced = true;
        Context.Parent.Tell(new EntityEnded(EntityId));
    }
}
