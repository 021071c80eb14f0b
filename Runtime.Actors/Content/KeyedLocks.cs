namespace Runtime.Actors.Content;

/// <summary>One holder per key at a time, others wait in order. Keys that nobody holds cost nothing. Thread-safe.</summary>
internal sealed class KeyedLocks
{
    private readonly Dictionary<string, Queue<TaskCompletionSource<IDisposable>>> _held = [];

    /// <summary>Null when somebody has it.</summary>
    public IDisposable? TryAcquire(string key)
    {
        lock (_held) return _held.TryAdd(key, new()) ? new Hold(this, key) : null;
    }

    public async Task<IDisposable> AcquireAsync(string key, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        TaskCompletionSource<IDisposable> turn;
        lock (_held)
        {
            if (_held.TryAdd(key, new())) return new Hold(this, key);
            turn = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _held[key].Enqueue(turn);
        }
        // One who has gone stays in the queue, and is passed over when the turn comes.
        await using (cancellation.Register(() => turn.TrySetCanceled(cancellation)))
            return await turn.Task;
    }

    private void Release(string key)
    {
        lock (_held)
        {
            while (_held[key].TryDequeue(out var next))
            {
                if (next.TrySetResult(new Hold(this, key))) return;
            }
            _held.Remove(key);
        }
    }

    private sealed class Hold(KeyedLocks locks, string key) : IDisposable
    {
        private int _released;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _released, 1) == 0) locks.Release(key);
        }
    }
}
