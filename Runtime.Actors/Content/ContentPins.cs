namespace Runtime.Actors.Content;

/// <summary>
/// What running pulls, imports and exports use: never collected. And what is being collected: a pull that needs such a thing waits
/// until it is gone, and then makes it anew. So a collection stops nobody, and takes nothing from under anybody. Thread-safe.
/// </summary>
/// <remarks>Keys are digests of blobs, and <see cref="OfSnapshot"/>. Memory only: nothing runs across a restart.</remarks>
public sealed class ContentPins
{
    private readonly Dictionary<string, int> _used = [];
    private readonly Dictionary<string, TaskCompletionSource> _collected = [];

    // While a sweep runs: what was in use when it began, or since. Its mark may be older than an image's name.
    private HashSet<string>? _spared;

    public static string OfSnapshot(string space, string snapshotter, string name) => $"{space}/{snapshotter}/{name}";

    /// <summary>A set of keys that is used from each <see cref="PinSet.AddAsync"/> until it is disposed.</summary>
    public PinSet Begin() => new(this);

    /// <summary>Before the mark: from here on nothing is collected that is or comes in use. One at a time.</summary>
    internal void BeginSweep()
    {
        lock (_used) _spared = [.. _used.Keys];
    }

    internal void EndSweep()
    {
        lock (_used) _spared = null;
    }

    /// <summary>In use now, or since the sweep began.</summary>
    internal bool IsUsed(string key)
    {
        lock (_used) return _used.ContainsKey(key) || _spared?.Contains(key) is true;
    }

    /// <summary>Begins to collect something; null when it is or was in use. Disposed when it is gone.</summary>
    internal IDisposable? TryCollect(string key)
    {
        lock (_used)
        {
            if (_used.ContainsKey(key) || _collected.ContainsKey(key) || _spared?.Contains(key) is true) return null;
            _collected[key] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        return new Collection(this, key);
    }

    /// <summary>Null: it is pinned now. Else a task that ends when it is gone.</summary>
    private Task? TryUse(string key)
    {
        lock (_used)
        {
            if (_collected.TryGetValue(key, out var collection)) return collection.Task;
            _used[key] = _used.GetValueOrDefault(key) + 1;
            _spared?.Add(key);
            return null;
        }
    }

    private void Release(IEnumerable<string> keys)
    {
        lock (_used)
        {
            foreach (var key in keys)
            {
                if (--_used[key] == 0) _used.Remove(key);
            }
        }
    }

    private void Collected(string key)
    {
        TaskCompletionSource? done;
        lock (_used) _collected.Remove(key, out done);
        done?.SetResult();
    }

    /// <summary>What one pull, import or export uses.</summary>
    public sealed class PinSet(ContentPins pins) : IDisposable
    {
        private readonly HashSet<string> _keys = [];

        /// <summary>Pins before anybody looks whether the thing is there.</summary>
        public async Task AddAsync(string key, CancellationToken cancellation)
        {
            while (true)
            {
                Task? collection;
                lock (_keys)
                {
                    if (_keys.Contains(key)) return;
                    collection = pins.TryUse(key);
                    if (collection is null)
                    {
                        _keys.Add(key);
                        return;
                    }
                }
                await collection.WaitAsync(cancellation);
            }
        }

        public void Dispose()
        {
            lock (_keys)
            {
                pins.Release(_keys);
                _keys.Clear();
            }
        }
    }

    private sealed class Collection(ContentPins pins, string key) : IDisposable
    {
        public void Dispose() => pins.Collected(key);
    }
}
