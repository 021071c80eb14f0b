using System.Collections.Immutable;
using Microsoft.Data.Sqlite;
using Runtime.Faults;

namespace Runtime.Actors.Journal;

/// <summary>
/// The journal's SQLite file: one writer that commits in groups, readers beside it. Knows nothing of actors or of what
/// the events mean. All methods can be called from any thread; a request that was answered survives a kill of the process.
/// </summary>
public sealed partial class JournalStore : IJournalCatalog, IJournalReader, IDisposable
{
    private readonly FileStream _lock;
    private readonly JournalWriter _writer;
    private readonly JournalReaders _readers;
    private readonly JournalCheckpointer _checkpointer;

    private JournalStore(JournalOptions options, FileStream held, SqliteConnection connection)
    {
        Options = options;
        _lock = held;
        _checkpointer = new JournalCheckpointer(options.Path);
        _writer = new JournalWriter(connection, options.Path, options.QueueMax, _checkpointer.Written);
        _readers = new JournalReaders(options.Path);
    }

    public JournalOptions Options { get; }

    /// <summary>Requests that wait for the writer or are being written.</summary>
    public int Unfinished => _writer.Unfinished;

    /// <summary>Opens the journal, or makes a new one.</summary>
    /// <exception cref="FaultException">
    /// DataLoss: the file is damaged. FailedPrecondition: a newer release wrote it, or another process has it open.
    /// PermissionDenied: it cannot be written.
    /// </exception>
    public static JournalStore Open(JournalOptions options) => Open(options, JournalSchema.Migrations);

    internal static JournalStore Open(JournalOptions options, ImmutableArray<string> migrations)
    {
        FileStream? held = null;
        try
        {
            JournalFile.Ensure(options.Path);
            held = JournalFile.Lock(options.Path);
            return new JournalStore(options, held, JournalFile.OpenWriter(options, migrations));
        }
        catch (Exception cause)
        {
            held?.Dispose();
            throw cause switch
            {
                SqliteException sqlite => JournalErrors.ToFault(sqlite, options.Path).ToException(sqlite),
                UnauthorizedAccessException or IOException => new FaultException(FaultKind.PermissionDenied,
                    "journal.cannot-open", $"Journal {options.Path} cannot be made or opened: {cause.Message}", cause),
                _ => cause,
            };
        }
    }

    /// <summary>Stores a batch of one persistence id: all of it or nothing.</summary>
    /// <exception cref="FaultException">
    /// AlreadyExists: a sequence number is taken. ResourceExhausted, PermissionDenied: no space, read-only; the journal goes
    /// on when that is over. Unavailable: the disk failed, and it is uncertain what a power loss leaves.
    /// </exception>
    public Task AppendAsync(
        string persistenceId, IReadOnlyList<JournalEvent> events, DateTimeOffset at, CancellationToken cancellation)
    {
        var work = new AppendWork(persistenceId, events, JournalTime.ToNanoseconds(at), cancellation);
        _writer.Enqueue(work);
        return work.Task;
    }

    /// <summary>The last sequence number ever stored, also where the event itself is deleted; 0 for a new id.</summary>
    /// <remarks>Waits for writes that were asked for before, so that a restarting writer does not miss its own.</remarks>
    public async Task<long> HighestSequenceAsync(string persistenceId, CancellationToken cancellation)
    {
        if (!_writer.IsIdle) await ChangeAsync(static _ => true, cancellation).ConfigureAwait(false);
        return await _readers.ReadAsync(queries => queries.Highest(persistenceId), cancellation).ConfigureAwait(false);
    }

    /// <summary>Gives the events of the current life of an id, oldest first, both bounds inclusive.</summary>
    /// <param name="max">At most so many.</param>
    /// <exception cref="FaultException">DataLoss: an event is damaged; those before it were given.</exception>
    public Task<long> ReplayAsync(
        string persistenceId, long from, long to, long max, JournalReplay callback, CancellationToken cancellation) =>
        _readers.ReadAsync(queries => queries.Replay(persistenceId, from, to, max, callback), cancellation);

    /// <summary>Deletes events up to a sequence number. The highest sequence number stays known.</summary>
    public Task DeleteToAsync(string persistenceId, long sequence, CancellationToken cancellation) =>
        ChangeAsync(
            session =>
            {
                session.DeleteTo(persistenceId, sequence);
                return true;
            },
            cancellation);

    public Task SaveSnapshotAsync(string persistenceId, JournalSnapshot snapshot, CancellationToken cancellation) =>
        ChangeAsync(
            session =>
            {
                session.SaveSnapshot(persistenceId, snapshot);
                return true;
            },
            cancellation);

    /// <summary>The newest snapshot in a range, or null.</summary>
    public Task<JournalSnapshot?> LoadSnapshotAsync(
        string persistenceId, JournalSnapshotRange range, CancellationToken cancellation) =>
        _readers.ReadAsync(queries => queries.Snapshot(persistenceId, range), cancellation);

    public Task DeleteSnapshotsAsync(string persistenceId, JournalSnapshotRange range, CancellationToken cancellation) =>
        ChangeAsync(
            session =>
            {
                session.DeleteSnapshots(persistenceId, range);
                return true;
            },
            cancellation);

    /// <inheritdoc/>
    public Task<IReadOnlyList<string>> LiveAsync(string prefix, CancellationToken cancellation) =>
        _readers.ReadAsync(queries => queries.Live(prefix), cancellation);

    /// <summary>Finishes the requests that wait, then closes the file.</summary>
    public void Dispose()
    {
        _writer.Dispose();
        _checkpointer.Dispose();
        _readers.Dispose();
        _lock.Dispose();
    }

    internal Task<T> ChangeAsync<T>(Func<JournalSession, T> change, CancellationToken cancellation)
    {
        var work = new ChangeWork<T>(change, cancellation);
        _writer.Enqueue(work);
        return work.Task;
    }
}
