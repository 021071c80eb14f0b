using Microsoft.Data.Sqlite;

namespace Runtime.Actors.Journal;

/// <summary>
/// Copies the write-ahead log into the file beside the writer, so that no request waits for it: SQLite would do it inside
/// whichever commit makes the log too long, with its fsyncs.
/// </summary>
internal sealed class JournalCheckpointer(string path) : IDisposable
{
    // Bytes of requests after which a checkpoint is due; in pages of the log it is about five times as much.
    private const int DueBytes = 512 << 10;
    private const int CommitBytes = 512; // what a commit adds beside its requests, in the same measure

    private readonly Lock _gate = new();
    private SqliteConnection? _connection;
    private Task _running = Task.CompletedTask;
    private long _bytes;
    private bool _closed;

    /// <summary>Called by the writer after each commit.</summary>
    public void Written(int bytes)
    {
        _bytes += bytes + CommitBytes;
        if (_bytes < DueBytes) return;
        lock (_gate)
        {
            if (_closed || !_running.IsCompleted) return;
            _running = Task.Run(Checkpoint);
        }
        _bytes = 0;
    }

    public void Dispose()
    {
        lock (_gate) _closed = true;
        _running.Wait();
        _connection?.Dispose();
    }

    private void Checkpoint()
    {
        try
        {
            _connection ??= JournalFile.Connect(path);
            JournalFile.Execute(_connection, "PRAGMA wal_checkpoint(PASSIVE)");
        }
        catch (SqliteException)
        {
            // Nothing is lost: the log only stays longer, and the next checkpoint tries again. A disk that fails or is
            // full shows in the writer's own requests, whose callers are told.
        }
    }
}
