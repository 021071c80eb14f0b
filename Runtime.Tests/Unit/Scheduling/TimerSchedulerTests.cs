using System.Diagnostics;
using Akka.Actor;
using Akka.Configuration;
using Akka.Event;
using Runtime.Actors.Journal;
using Runtime.Actors.Scheduling;
using Xunit;

namespace Runtime.Tests.Unit.Scheduling;

public sealed class TimerSchedulerTests : IDisposable
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Long = TimeSpan.FromHours(1);

    private readonly TimerScheduler _scheduler = new(ConfigurationFactory.Empty, NoLogger.Instance);

    private IActionScheduler Actions => _scheduler;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _scheduler.Dispose();

    [Fact]
    public async Task An_action_runs_once_and_not_before_its_time()
    {
        var runs = new SemaphoreSlim(0);
        var clock = Stopwatch.StartNew();
        Actions.ScheduleOnce(Short, () => runs.Release());
        await runs.WaitAsync(Cancellation);
        Assert.True(clock.Elapsed >= Short, $"after {clock.Elapsed}");
        Assert.Equal(0, _scheduler.Waiting);
        Assert.False(await runs.WaitAsync(Short * 3, Cancellation));
    }

    [Fact]
    public async Task A_repeated_action_runs_until_it_is_cancelled_and_never_twice_at_once()
    {
        using var runs = new SemaphoreSlim(0);
        var (inside, twice) = (0, false);
        var cancelable = new Cancelable(Actions);
        Actions.ScheduleRepeatedly(TimeSpan.Zero, TimeSpan.FromMilliseconds(1), () =>
        {
            twice |= Interlocked.Increment(ref inside) > 1;
            SpinWait.SpinUntil(static () => false, 5);
            Interlocked.Decrement(ref inside);
            runs.Release();
        }, cancelable);
        for (var i = 0; i < 5; i++) await runs.WaitAsync(Cancellation);
        cancelable.Cancel();
        Assert.Equal(0, _scheduler.Waiting);
        Assert.False(twice);
    }

    [Fact]
    public void What_is_cancelled_does_not_stay_until_its_time()
    {
        var cancelable = new Cancelable(Actions);
        for (var i = 0; i < 100; i++) Actions.ScheduleOnce(Long, () => { }, cancelable);
        Assert.Equal(100, _scheduler.Waiting);
        cancelable.Cancel();
        Assert.Equal(0, _scheduler.Waiting);
        Actions.ScheduleOnce(Long, () => { }, cancelable);
        Assert.Equal(0, _scheduler.Waiting);
    }

    [Fact]
    public async Task An_action_that_throws_harms_neither_its_own_repetition_nor_others()
    {
        using var runs = new SemaphoreSlim(0);
        Actions.ScheduleRepeatedly(TimeSpan.Zero, TimeSpan.FromMilliseconds(1), () =>
        {
            runs.Release();
            throw new InvalidOperationException("on purpose");
        });
        for (var i = 0; i < 3; i++) await runs.WaitAsync(Cancellation);
    }

    [Fact]
    public void A_stopped_scheduler_drops_what_waits_and_takes_nothing_more()
    {
        Actions.ScheduleOnce(Long, () => { });
        _scheduler.Dispose();
        Assert.Equal(0, _scheduler.Waiting);
        Assert.Throws<SchedulerException>(() => Actions.ScheduleOnce(Short, () => { }));
    }

    [Fact]
    public void A_delay_of_years_is_accepted()
    {
        Actions.ScheduleOnce(TimeSpan.FromDays(400), () => { });
        Assert.Equal(1, _scheduler.Waiting);
    }

    [Fact]
    public async Task An_actor_system_uses_it_for_its_timers()
    {
        var system = ActorSystem.Create("timers", ActorSystemHocon.Config("error"));
        Assert.IsType<TimerScheduler>(system.Scheduler);
        var inbox = Inbox.Create(system);
        system.Scheduler.ScheduleTellOnce(Short, inbox.Receiver, "ding", ActorRefs.NoSender);
        Assert.Equal("ding", await inbox.ReceiveAsync(TimeSpan.FromSeconds(10)));
        await system.Terminate();
    }
}
