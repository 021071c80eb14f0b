using Microsoft.Data.Sqlite;
using Runtime.Faults;

namespace Runtime.Actors.Journal;

/// <summary>The writer's connection with its kept statements. Used by the writer's thread only.</summary>
internal sealed class JournalSession : IDisposable
{
    // Ids of entities that write are looked up once. Sized for a busy node's live entities (about 100 bytes each);
    // when more write, the cache starts anew.
    private const int CachedEntitiesMax = 16_384;

    private readonly Dictionary<string, Entity> _entities = [];
    private readonly Dictionary<string, long> _manifests = [];
    private readonly List<JournalStatement> _statements = [];
    private readonly SqliteConnection _connection;
    private readonly JournalStatement _begin, _commit, _rollback;
    private readonly JournalStatement _findEntity, _addEntity, _grow, _end;
    private readonly JournalStatement _findManifest, _addManifest, _addEvent;
    private readonly JournalStatement _markDeleted, _deleteEvents;
    private readonly JournalStatement _saveSnapshot, _deleteSnapshots;

    public JournalSession(SqliteConnection connection)
    {
        _connection = connection;
        _begin = Prepare("BEGIN IMMEDIATE");
        _commit = Prepare("COMMIT");
        _rollback = Prepare("ROLLBACK");
        _findEntity = Prepare("SELECT id, highest_sequence_nr FROM entities WHERE persistence_id = ?1");
        _addEntity = Prepare("INSERT INTO entities(persistence_id, entity_id) VALUES (?1, ?2) RETURNING id");
        _grow = Prepare("UPDATE entities SET highest_sequence_nr = ?2, ended = 0 WHERE id = ?1");
        _end = Prepare(
            "UPDATE entities SET highest_sequence_nr = ?2, ended = (?3 = ?2), ended_to = ?3, ended_at = ?4 WHERE id = ?1");
        _findManifest = Prepare("SELECT id FROM manifests WHERE manifest = ?1");
        _addManifest = Prepare("INSERT INTO manifests(manifest) VALUES (?1) RETURNING id");
        _addEvent = Prepare(
            "INSERT INTO events(entity, sequence_nr, at, manifest, crc, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
        _markDeleted = Prepare(
            "UPDATE entities SET deleted_to = max(deleted_to, min(?2, highest_sequence_nr)) WHERE persistence_id = ?1");
        _deleteEvents = Prepare(
            "DELETE FROM events WHERE entity = (SELECT id FROM entities WHERE persistence_id = ?1) AND sequence_nr <= ?2");
        _saveSnapshot = Prepare(
            """
            INSERT INTO snapshots(persistence_id, sequence_nr, at, manifest, payload) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT DO UPDATE SET at = excluded.at, manifest = excluded.manifest, payload = excluded.payload
            """);
        _deleteSnapshots = Prepare(
            "DELETE FROM snapshots WHERE persistence_id = ?1 AND sequence_nr BETWEEN ?2 AND ?3 AND at BETWEEN ?4 AND ?5");
        Compaction = new JournalCompactor(this);
    }

    private sealed record Entity(long Id)
    {
        public long Highest { get; set; }
    }

    public SqliteConnection Connection => _connection;

    public JournalCompactor Compaction { get; }

    public void Begin() => _begin.Run();

    public void Commit() => _commit.Run();

    /// <summary>Undoes the transaction, if SQLite has not done so itself.</summary>
    public void Rollback()
    {
        Forget();
        if (SQLitePCL.raw.sqlite3_get_autocommit(_connection.Handle!) == 0) _rollback.Run();
    }

    /// <exception cref="FaultException">AlreadyExists: a sequence number is not above the last that was stored.</exception>
    public void Append(string persistenceId, IReadOnlyList<JournalEvent> events, long at)
    {
        var entity = EntityOf(persistenceId);
        var (highest, endedTo) = (entity.Highest, 0L);
        foreach (var recorded in events)
        {
            if (recorded.Sequence <= highest)
                throw new FaultException(FaultKind.AlreadyExists, "journal.duplicate-sequence",
                    $"{persistenceId} has stored events up to {highest}: {recorded.Sequence} cannot follow. " +
                    "Two actors write under this id, or one did not recover.");
            var payload = recorded.Payload.Span;
            _addEvent.Bind(1, entity.Id).Bind(2, recorded.Sequence).Bind(3, at).Bind(4, ManifestOf(recorded.Manifest))
                .Bind(5, JournalChecksum.Of(recorded.Sequence, payload)).Bind(6, payload).Run();
            highest = recorded.Sequence;
            if (recorded.EndsEntity) endedTo = highest;
        }
        if (endedTo == 0) _grow.Bind(1, entity.Id).Bind(2, highest).Run();
        else _end.Bind(1, entity.Id).Bind(2, highest).Bind(3, endedTo).Bind(4, at).Run();
        entity.Highest = highest;
    }

    public void DeleteTo(string persistenceId, long sequence)
    {
        _markDeleted.Bind(1, persistenceId).Bind(2, sequence).Run();
        _deleteEvents.Bind(1, persistenceId).Bind(2, sequence).Run();
    }

    public void SaveSnapshot(string persistenceId, JournalSnapshot snapshot) =>
        _saveSnapshot.Bind(1, persistenceId).Bind(2, snapshot.Sequence).Bind(3, JournalTime.ToNanoseconds(snapshot.At))
            .Bind(4, snapshot.Manifest).Bind(5, snapshot.Payload.Span).Run();

    public void DeleteSnapshots(string persistenceId, JournalSnapshotRange range) =>
        _deleteSnapshots.Bind(1, persistenceId).Bind(2, range.SequenceMin).Bind(3, range.SequenceMax)
            .Bind(4, JournalTime.ToNanoseconds(range.AtMin)).Bind(5, JournalTime.ToNanoseconds(range.AtMax)).Run();

    /// <summary>Rows that were looked up may be gone: after an undone transaction, or a compaction.</summary>
    public void Forget()
    {
        _entities.Clear();
        _manifests.Clear();
    }

    public JournalStatement Prepare(string sql)
    {
        var statement = new JournalStatement(_connection, sql);
        _statements.Add(statement);
        return statement;
    }

    public void Dispose()
    {
        foreach (var statement in _statements) statement.Dispose();
        _connection.Dispose();
    }

    /// <summary>The id of <c>kind/namespace/id</c>, which may itself hold slashes; other forms are an id as a whole.</summary>
    internal static string EntityIdOf(string persistenceId)
    {
        var parts = persistenceId.Split('/', 3);
        return parts.Length == 3 ? parts[2] : persistenceId;
    }

    private Entity EntityOf(string persistenceId)
    {
        if (_entities.TryGetValue(persistenceId, out var known)) return known;
        if (_entities.Count >= CachedEntitiesMax) _entities.Clear();
        Entity entity;
        if (_findEntity.Bind(1, persistenceId).Step())
        {
            entity = new Entity(_findEntity.Integer(0)) { Highest = _findEntity.Integer(1) };
            _findEntity.Reset();
        }
        else
        {
            entity = new Entity(_addEntity.Bind(1, persistenceId).Bind(2, EntityIdOf(persistenceId)).Scalar()!.Value);
        }
        return _entities[persistenceId] = entity;
    }

    private long ManifestOf(string manifest)
    {
        if (_manifests.TryGetValue(manifest, out var known)) return known;
        var id = _findManifest.Bind(1, manifest).Scalar() ?? _addManifest.Bind(1, manifest).Scalar()!.Value;
        return _manifests[manifest] = id;
    }
}
