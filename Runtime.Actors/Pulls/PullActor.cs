using Akka.Actor;
using Akka.Event;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Faults;

namespace Runtime.Actors.Pulls;

/// <summary>
/// One pull and those who wait for it. Ends with its outcome, or when the last of them is gone. Parent: PullManager. It stores
/// nothing: what matters of a pull, its content, snapshots and names, others store.
/// </summary>
internal sealed class PullActor : UntypedActor, IWithTimers
{
    /// <summary>Between two states of the read model: as often as a person can read them.</summary>
    private static readonly TimeSpan ShowEvery = TimeSpan.FromMilliseconds(200);

    private readonly PullKey _key;
    private readonly IPullPipeline _pipeline;
    private readonly ReadModel<PullView> _views;
    private readonly TimeProvider _clock;
    private readonly List<IActorRef> _waiting = [];
    private readonly List<(PullImage Pull, IActorRef Caller)> _late = [];
    private readonly CancellationTokenSource _cancelling = new();
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private PullProgress? _progress;
    private NamespaceName _space;
    private bool _ended;

    public PullActor(PullKey key, IPullPipeline pipeline, ReadModel<PullView> views, TimeProvider clock)
    {
        _key = key;
        _pipeline = pipeline;
        _views = views;
        _clock = clock;
    }

    public static Props Props(PullKey key, IPullPipeline pipeline, ReadModel<PullView> views, TimeProvider clock) =>
        Akka.Actor.Props.Create(() => new PullActor(key, pipeline, views, clock));

    private sealed record Show;
    private sealed record Finished(object Reply);

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            // Too late to join: the manager makes a new one, as soon as this one has let go.
            case PullImage pull when _ended:
                Context.Parent.Forward(pull);
                break;
            case PullImage pull when _cancelling.IsCancellationRequested:
                _late.Add((pull, Sender));
                break;
            case PullImage pull:
                _waiting.Add(Sender);
                if (_progress is null) Start(pull);
                break;
            case CancelPull:
                EndIfNobodyWaits();
                break;
            case Show:
                Publish();
                // The one that a CancelPull was about may have been there still when it came.
                EndIfNobodyWaits();
                break;
            case Finished finished:
                End(finished.Reply);
                break;
            case ReleaseEntity:
                Context.Stop(Self);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    protected override void PostStop()
    {
        _ = _cancelling.CancelAsync();
        if (_progress is not null) _views.Set(_space, _key.Reference, null);
        var stopped = new Rejected(FaultKind.Unavailable, "pull.stopped", $"The pull of {_key.Reference} was stopped; try again.");
        foreach (var caller in _waiting.Concat(_late.Select(late => late.Caller))) caller.Tell(stopped, Self);
    }

    private void Start(PullImage pull)
    {
        _space = pull.Space;
        var progress = _progress = new PullProgress(_key.Reference, _clock.GetUtcNow());
        var cancellation = _cancelling.Token;
        Publish();
        Timers.StartPeriodicTimer(nameof(Show), new Show(), ShowEvery);
        Task.Run(() => _pipeline.RunAsync(pull, progress, cancellation), CancellationToken.None).PipeTo(
            Self, Self, pulled => new Finished(pulled), cause => new Finished(new Rejected(RuntimeFault.From(cause))));
    }

    private void EndIfNobodyWaits()
    {
        _waiting.RemoveAll(IsGone);
        // Not Cancel, which would run the pull's continuations here.
        if (_waiting.Count == 0 && !_ended) _ = _cancelling.CancelAsync();
    }

    private void Publish()
    {
        var view = _progress!.View();
        if (!ReferenceEquals(_views.Find(_space, _key.Reference), view)) _views.Set(_space, _key.Reference, view);
    }

    private void End(object reply)
    {
        switch (reply)
        {
            case ImagePulled pulled:
                _log.Info("Image {Reference}: pulled {ImageId} for {Waiting} callers", _key.Reference, pulled.ImageId, _waiting.Count);
                break;
            case Rejected { Fault: var fault }:
                _log.Warning("Image {Reference}: pull failed: {Message} ({Code})", _key.Reference, fault.Message, fault.Code);
                break;
        }
        _ended = true;
        Timers.Cancel(nameof(Show));
        // Before the reply: who has it sees no pull any more.
        _views.Set(_space, _key.Reference, null);
        foreach (var caller in _waiting) caller.Tell(reply, Self);
        _waiting.Clear();
        Context.Parent.Tell(new PullEnded(_key));
        foreach (var (pull, caller) in _late) Context.Parent.Tell(pull, caller);
        _late.Clear();
    }

    /// <summary>One who asked and gave up: its temporary actor is registered no more. Others are taken to be alive.</summary>
    private static bool IsGone(IActorRef caller)
    {
        if (caller.Path.Elements is not ["temp", ..]) return false;
        var provider = ((ExtendedActorSystem)Context.System).Provider;
        // By reference: what stands for a missing actor has its path, and so equals it.
        return !ReferenceEquals(provider.ResolveActorRef(caller.Path), caller);
    }
}
