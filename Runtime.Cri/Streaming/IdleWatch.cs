namespace Runtime.Cri.Streaming;

/// <summary>Calls out once nothing has moved on a connection for a time.</summary>
internal sealed class IdleWatch : IDisposable
{
    private readonly TimeProvider _clock;
    private readonly TimeSpan _timeout;
    private readonly Action _idle;
    private readonly ITimer? _timer;
    private readonly Lock _lock = new();
    private bool _over;
    private long _last;

    /// <param name="timeout">Zero or less: never.</param>
    public IdleWatch(TimeProvider clock, TimeSpan timeout, Action idle)
    {
        (_clock, _timeout, _idle) = (clock, timeout, idle);
        _last = clock.GetTimestamp();
        if (timeout > TimeSpan.Zero) _timer = clock.CreateTimer(Look, null, timeout, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Something moved.</summary>
    public void Touch() => Volatile.Write(ref _last, _clock.GetTimestamp());

    /// <summary>Nothing is called out after it.</summary>
    public void Dispose()
    {
        lock (_lock) _over = true;
        _timer?.Dispose();
    }

    private void Look(object? _)
    {
        lock (_lock)
        {
            if (_over) return;
            CallOut();
        }
    }

    private void CallOut()
    {
        var left = _timeout - _clock.GetElapsedTime(Volatile.Read(ref _last));
        if (left <= TimeSpan.Zero) _idle();
        else _timer?.Change(left, Timeout.InfiniteTimeSpan);
    }
}
