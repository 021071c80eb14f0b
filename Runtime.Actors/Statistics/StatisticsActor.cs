using Akka.Actor;
using Akka.Event;

namespace Runtime.Actors.Statistics;

/// <summary>
/// Has everything read again and again, with a pause between the end of one sweep and the next. Parent: the system. A restart
/// loses nothing: the readings are the sampler's.
/// </summary>
public sealed class StatisticsActor : UntypedActor, IWithTimers
{
    public const string Name = "statistics";

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly CancellationTokenSource _stopping = new();
    private readonly StatisticsSampler _sampler;
    private readonly TimeSpan _period;

    public StatisticsActor(StatisticsSampler sampler, TimeSpan period) => (_sampler, _period) = (sampler, period);

    private sealed record SweepDue
    {
        public static readonly SweepDue Instance = new();
    }

    private sealed record Swept(IReadOnlyList<string> Failures);

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(StatisticsSampler sampler, TimeSpan period) =>
        Akka.Actor.Props.Create(() => new StatisticsActor(sampler, period));

    protected override void PreStart() => StartTimer();

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case SweepDue:
                var stopping = _stopping.Token;
                Task.Run(() => new Swept(_sampler.Sweep(stopping)), stopping)
                    .PipeTo(Self, failure: cause => new Status.Failure(cause));
                break;
            case Swept swept:
                foreach (var failure in swept.Failures) _log.Debug("Usage cannot be read: {Failure}", failure);
                StartTimer();
                break;
            case Status.Failure failed:
                _log.Warning(failed.Cause, "Reading usage failed; trying again in {Period}", _period);
                StartTimer();
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    protected override void PostStop()
    {
        _stopping.Cancel();
        _stopping.Dispose();
    }

    private void StartTimer() => Timers.StartSingleTimer(nameof(SweepDue), SweepDue.Instance, _period);
}
