namespace Runtime.Actors.Scheduling;

/// <summary>One thing that waits for its time, once or again and again; never twice at the same time.</summary>
internal sealed class ScheduledWork(TimerScheduler scheduler, TimeSpan? interval, Action action)
{
    // What a .NET timer can wait at once, 49 days; longer delays take several.
    private static readonly TimeSpan DelayMax = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    private readonly Lock _gate = new();
    private Timer? _timer;
    private CancellationTokenRegistration _cancellation;
    private TimeSpan _due;
    private bool _dropped;

    public void Start(TimeSpan delay, CancellationToken cancellation)
    {
        lock (_gate)
        {
            _timer = new Timer(static state => ((ScheduledWork)state!).Elapsed(), this, Timeout.Infinite, Timeout.Infinite);
            WaitFor(delay);
        }
        // Runs at once when it is cancelled already. A cancelled timer must not stay until its time.
        var registration = cancellation.UnsafeRegister(static state => ((ScheduledWork)state!).Drop(), this);
        lock (_gate)
        {
            if (!_dropped)
            {
                _cancellation = registration;
                return;
            }
        }
        registration.Dispose();
    }

    public void Drop()
    {
        CancellationTokenRegistration cancellation;
        lock (_gate)
        {
            if (_dropped) return;
            _dropped = true;
            _timer?.Dispose();
            cancellation = _cancellation;
        }
        scheduler.Remove(this);
        cancellation.Unregister(); // does not wait for a callback that runs: it may be the caller
    }

    private void Elapsed()
    {
        lock (_gate)
        {
            if (_dropped) return;
            // .NET's timers count in the kernel's coarse clock and may come milliseconds early; very long waits take several.
            var left = _due - scheduler.MonotonicClock;
            if (left > TimeSpan.Zero)
            {
                Wait(left);
                return;
            }
        }
        if (interval is null) Drop();
        try
        {
            action();
        }
        // As Akka's scheduler: what it was asked to run must not take the process down.
        catch (Exception cause) when (cause is not OutOfMemoryException)
        {
            scheduler.Failed(cause);
        }
        if (interval is not { } next) return;
        lock (_gate)
        {
            if (!_dropped) WaitFor(next);
        }
    }

    private void WaitFor(TimeSpan delay)
    {
        _due = scheduler.MonotonicClock + delay;
        Wait(delay);
    }

    // Rounded up to the whole milliseconds that .NET's timers count.
    private void Wait(TimeSpan delay) =>
        _timer!.Change((long)Math.Ceiling((delay < DelayMax ? delay : DelayMax).TotalMilliseconds), Timeout.Infinite);
}
