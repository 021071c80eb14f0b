using Microsoft.Data.Sqlite;

namespace Runtime.Actors.Journal;

/// <summary>
/// The one thread that writes. It takes all requests that wait, up to a bound, into one transaction, so that under load
/// many share the cost of a commit, and alone one waits for nobody.
/// </summary>
/// <remarks>
/// When a request or the commit fails, the transaction is undone and each request tried again in one of its own, so that
/// each gets its own outcome. Failures are rare; a savepoint around each request cost every write a copy of its pages.
/// </remarks>
internal sealed class JournalWriter : IDisposable
{
    private const int GroupMax = 512; // requests; bounds how long the first one waits for the others
    private const int GroupBytesMax = 1 << 20;

    private readonly object _gate = new(); // not a Lock: the writer waits on it for work
    private readonly Queue<JournalWork> _queue = [];
    private readonly JournalSession _session;
    private readonly string _path;
    private readonly int _queueMax;
    private readonly Action<int> _committed;
    private readonly Thread _thread;
    private bool _closed;
    private int _unfinished;

    /// <param name="committed">Told after each commit, on the writer's thread, how many bytes it added roughly.</param>
    public JournalWriter(SqliteConnection connection, string path, int queueMax, Action<int> committed)
    {
        _session = new JournalSession(connection);
        _path = path;
        _queueMax = queueMax;
        _committed = committed;
        _thread = new Thread(Loop) { IsBackground = true, Name = "journal-writer" };
        _thread.Start();
    }

    /// <summary>True when nothing waits and nothing is being written: every request so far has its outcome.</summary>
    public bool IsIdle => Volatile.Read(ref _unfinished) == 0;

    /// <summary>Requests that wait or are being written.</summary>
    public int Unfinished => Volatile.Read(ref _unfinished);

    public void Enqueue(JournalWork work)
    {
        Exception refusal;
        lock (_gate)
        {
            if (!_closed && _queue.Count < _queueMax)
            {
                _queue.Enqueue(work);
                _unfinished++;
                if (_queue.Count == 1) Monitor.Pulse(_gate);
                return;
            }
            refusal = _closed ? JournalQueueFaults.Closed(_path) : JournalQueueFaults.Full(_path, _queueMax);
        }
        work.Failure = refusal;
        work.Complete(_path);
    }

    /// <summary>Finishes what waits, then closes the connection.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_closed) return;
            _closed = true;
            Monitor.Pulse(_gate);
        }
        _thread.Join();
        _session.Dispose();
    }

    private void Loop()
    {
        var group = new List<JournalWork>(GroupMax);
        while (Take(group))
        {
            Store(group);
            lock (_gate) _unfinished -= group.Count;
            foreach (var work in group) work.Complete(_path);
            group.Clear();
        }
    }

    private bool Take(List<JournalWork> group)
    {
        lock (_gate)
        {
            while (true)
            {
                for (var bytes = 0; group.Count < GroupMax && bytes < GroupBytesMax && _queue.TryDequeue(out var work);)
                {
                    bytes += work.Size;
                    group.Add(work);
                }
                if (group.Count > 0) return true;
                if (_closed) return false;
                Monitor.Wait(_gate);
            }
        }
    }

    private void Store(List<JournalWork> group)
    {
        if (TryStore(group)) return;
        foreach (var work in group)
        {
            work.Failure = null;
            TryStore([work]);
        }
    }

    /// <summary>False when the transaction is undone and each of its requests deserves an attempt of its own.</summary>
    private bool TryStore(List<JournalWork> group)
    {
        try
        {
            _session.Begin();
            foreach (var work in group)
            {
                if (work.IsCancelled) work.Failure = new OperationCanceledException();
                else work.Run(_session);
            }
            _session.Commit();
        }
        // Whoever is at fault, a request or the disk: alone, it fails alone, and its caller gets the exception.
        catch (Exception cause) when (cause is not OutOfMemoryException)
        {
            _session.Rollback();
            if (group.Count > 1) return false;
            group[0].Failure = cause;
            return true;
        }
        _committed(group.Sum(work => work.Size));
        return true;
    }
}
