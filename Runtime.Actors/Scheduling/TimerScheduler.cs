using System.Collections.Concurrent;
using System.Diagnostics;
using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Event;

namespace Runtime.Actors.Scheduling;

/// <summary>
/// Akka's scheduler on the timers of .NET: it wakes up when something is due, and at no other time. Akka's own one wakes up
/// at each of its ticks, once anything was ever scheduled. Measured idle: 4.5 % of a core and 580 wake-ups a second with
/// ticks of 10 ms, 0.9 % and 65 with 100 ms, and none with this one, which is also exact to a millisecond.
/// </summary>
/// <remarks>What is still waiting when the system terminates is dropped.</remarks>
public sealed class TimerScheduler : SchedulerBase, IDateTimeOffsetNowTimeProvider, IDisposable
{
    private static readonly long Began = Stopwatch.GetTimestamp();

    private readonly ConcurrentDictionary<ScheduledWork, byte> _waiting = [];
    private volatile bool _stopped;

    /// <summary>The constructor that Akka calls, named by <c>akka.scheduler.implementation</c>.</summary>
    public TimerScheduler(Config scheduler, ILoggingAdapter log)
        : base(scheduler, log)
    {
    }

    public override TimeSpan MonotonicClock => Stopwatch.GetElapsedTime(Began);

    public override TimeSpan HighResMonotonicClock => Stopwatch.GetElapsedTime(Began);

    protected override DateTimeOffset TimeNow => TimeProvider.System.GetUtcNow();

    /// <summary>How many timers wait.</summary>
    internal int Waiting => _waiting.Count;

    public void Dispose()
    {
        _stopped = true;
        foreach (var work in _waiting.Keys) work.Drop();
    }

    protected override void InternalScheduleTellOnce(
        TimeSpan delay, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable) =>
        Start(delay, null, () => receiver.Tell(message, sender), cancelable);

    protected override void InternalScheduleTellRepeatedly(
        TimeSpan initialDelay, TimeSpan interval, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable) =>
        Start(initialDelay, interval, () => receiver.Tell(message, sender), cancelable);

    protected override void InternalScheduleOnce(TimeSpan delay, Action action, ICancelable cancelable) =>
        Start(delay, null, action, cancelable);

    protected override void InternalScheduleOnce(TimeSpan delay, IRunnable action, ICancelable cancelable) =>
        Start(delay, null, action.Run, cancelable);

    protected override void InternalScheduleRepeatedly(
        TimeSpan initialDelay, TimeSpan interval, Action action, ICancelable cancelable) =>
        Start(initialDelay, interval, action, cancelable);

    protected override void InternalScheduleRepeatedly(
        TimeSpan initialDelay, TimeSpan interval, IRunnable action, ICancelable cancelable) =>
        Start(initialDelay, interval, action.Run, cancelable);

    internal void Remove(ScheduledWork work) => _waiting.TryRemove(work, out _);

    internal void Failed(Exception cause) => Log.Error(cause, "A scheduled action failed");

    private void Start(TimeSpan delay, TimeSpan? interval, Action action, ICancelable? cancelable)
    {
        if (_stopped) throw new SchedulerException("The scheduler has stopped with its actor system.");
        if (cancelable is { IsCancellationRequested: true }) return;
        var work = new ScheduledWork(this, interval, action);
        _waiting[work] = 0;
        work.Start(delay, cancelable?.Token ?? CancellationToken.None);
        if (_stopped) work.Drop(); // stopped meanwhile: Dispose may not have seen it
    }
}
