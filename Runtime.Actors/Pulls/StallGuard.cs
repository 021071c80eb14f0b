using Runtime.Faults;

namespace Runtime.Actors.Pulls;

/// <summary>
/// Ends a pull for which no byte comes for a while. Only time in which somebody waits for the registry counts: while layers are
/// unpacked, silence is no stall. Thread-safe.
/// </summary>
internal sealed class StallGuard : IDisposable
{
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _clock;
    private readonly ITimer? _timer;
    private readonly CancellationTokenSource _stalled = new();
    private readonly Lock _lock = new();
    private int _waiting;
    private long _quietSince;

    /// <param name="timeout">Zero: never.</param>
    public StallGuard(TimeSpan timeout, TimeProvider clock)
    {
        _timeout = timeout;
        _clock = clock;
        if (timeout <= TimeSpan.Zero) return;
        var period = timeout / 10;
        _timer = clock.CreateTimer(_ => Check(), null, period, period);
    }

    public void Progressed()
    {
        lock (_lock) _quietSince = _clock.GetTimestamp();
    }

    /// <param name="wait">Something of the registry's that takes time; it must heed the token that its caller gave it.</param>
    /// <exception cref="FaultException">DeadlineExceeded <c>pull.stalled</c>.</exception>
    public async Task<T> WatchAsync<T>(Func<Task<T>> wait, CancellationToken cancellation)
    {
        Enter();
        try
        {
            var pending = wait();
            if (pending.IsCompleted || _timer is null) return await pending;
            return await pending.WaitAsync(_stalled.Token);
        }
        catch (OperationCanceledException) when (_stalled.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new FaultException(FaultKind.DeadlineExceeded, "pull.stalled", $"No byte came for {_timeout}.");
        }
        finally
        {
            Leave();
        }
    }

    public void Dispose()
    {
        _timer?.Dispose();
        _stalled.Dispose();
    }

    private void Enter()
    {
        lock (_lock)
        {
            if (_waiting++ == 0) _quietSince = _clock.GetTimestamp();
        }
    }

    private void Leave()
    {
        lock (_lock) _waiting--;
    }

    private void Check()
    {
        lock (_lock)
        {
            if (_waiting == 0 || _clock.GetElapsedTime(_quietSince) < _timeout) return;
        }
        try
        {
            _stalled.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The pull ended between the check and this.
        }
    }
}
