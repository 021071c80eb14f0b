using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace Runtime.Actors.Journal;

/// <summary>Connections for reading, beside the writer: a reader sees the journal as it was when its query began.</summary>
internal sealed class JournalReaders(string path) : IDisposable
{
    // Recovery is bound by the processor, not by the disk: more readers than cores only cost memory (up to 2 MiB each).
    private static readonly int ReadersMax = Math.Clamp(Environment.ProcessorCount, 2, 8);

    private readonly ConcurrentBag<JournalQueries> _idle = [];
    private readonly SemaphoreSlim _places = new(ReadersMax);
    private volatile bool _closed;

    /// <summary>Runs a query on the thread pool.</summary>
    /// <exception cref="Faults.FaultException">The file cannot be read.</exception>
    public async Task<T> ReadAsync<T>(Func<JournalQueries, T> query, CancellationToken cancellation)
    {
        await _places.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return await Task.Run(() => Read(query), cancellation).ConfigureAwait(false);
        }
        finally
        {
            _places.Release();
        }
    }

    public void Dispose()
    {
        _closed = true;
        while (_idle.TryTake(out var reader)) reader.Dispose();
    }

    private T Read<T>(Func<JournalQueries, T> query)
    {
        if (_closed) throw JournalQueueFaults.Closed(path);
        JournalQueries? reader = null;
        try
        {
            if (!_idle.TryTake(out reader)) reader = new JournalQueries(JournalFile.OpenReader(path), path);
            var answer = query(reader);
            _idle.Add(reader);
            if (_closed) Dispose(); // closed meanwhile: nobody else gives this one back
            return answer;
        }
        catch (Exception cause)
        {
            // Its statements may stand in the middle of a result: the next query gets a new connection.
            reader?.Dispose();
            if (cause is SqliteException sqlite) throw JournalErrors.ToFault(sqlite, path).ToException(sqlite);
            throw;
        }
    }
}
