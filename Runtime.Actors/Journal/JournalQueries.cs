using Microsoft.Data.Sqlite;

namespace Runtime.Actors.Journal;

/// <summary>A reading connection with its kept statements. Used by one thread at a time.</summary>
internal sealed class JournalQueries : IDisposable
{
    private readonly string _path;
    private readonly List<JournalStatement> _statements = [];
    private readonly JournalStatement _highest, _replay, _live, _snapshot, _exactId, _idsByPrefix, _history;

    public JournalQueries(SqliteConnection connection, string path)
    {
        Connection = connection;
        _path = path;
        _highest = Prepare("SELECT highest_sequence_nr FROM entities WHERE persistence_id = ?1");
        // A life that is over is history: the next one under the same id starts behind its last event.
        _replay = Prepare(
            """
            SELECT e.sequence_nr, e.at, m.manifest, e.crc, e.payload
            FROM entities n JOIN events e ON e.entity = n.id JOIN manifests m ON m.id = e.manifest
            WHERE n.persistence_id = ?1 AND e.sequence_nr BETWEEN ?2 AND ?3
              AND e.sequence_nr > n.deleted_to AND e.sequence_nr > n.ended_to
            ORDER BY e.sequence_nr LIMIT ?4
            """);
        _live = Prepare(
            """
            SELECT persistence_id FROM entities
            WHERE persistence_id >= ?1 AND persistence_id < ?2 AND ended = 0 AND highest_sequence_nr > deleted_to
            ORDER BY persistence_id
            """);
        _snapshot = Prepare(
            """
            SELECT sequence_nr, at, manifest, payload FROM snapshots
            WHERE persistence_id = ?1 AND sequence_nr BETWEEN ?2 AND ?3 AND at BETWEEN ?4 AND ?5
            ORDER BY sequence_nr DESC LIMIT 1
            """);
        _exactId = Prepare("SELECT 1 FROM entities WHERE entity_id = ?1 LIMIT 1");
        _idsByPrefix = Prepare(
            "SELECT DISTINCT entity_id FROM entities WHERE entity_id >= ?1 AND entity_id < ?2 ORDER BY entity_id LIMIT ?3");
        _history = Prepare(
            """
            SELECT e.ordering, e.at, n.persistence_id, e.sequence_nr, m.manifest, e.payload
            FROM entities n JOIN events e ON e.entity = n.id JOIN manifests m ON m.id = e.manifest
            WHERE n.entity_id = ?1 AND e.ordering > ?2
            ORDER BY e.ordering LIMIT ?3
            """);
    }

    public SqliteConnection Connection { get; }

    /// <summary>0 for an id that was never written.</summary>
    public long Highest(string persistenceId) => _highest.Bind(1, persistenceId).Scalar() ?? 0;

    /// <returns>How many events were replayed.</returns>
    public long Replay(string persistenceId, long from, long to, long max, JournalReplay callback)
    {
        var replayed = 0L;
        _replay.Bind(1, persistenceId).Bind(2, from).Bind(3, to).Bind(4, max);
        for (; _replay.Step(); replayed++)
        {
            var sequence = _replay.Integer(0);
            var payload = _replay.Bytes(4);
            if (_replay.Integer(3) != JournalChecksum.Of(sequence, payload))
                throw JournalErrors.DamagedEvent(_path, persistenceId, sequence).ToException();
            callback(sequence, JournalTime.FromNanoseconds(_replay.Integer(1)), _replay.Text(2), payload);
        }
        return replayed;
    }

    public IReadOnlyList<string> Live(string prefix)
    {
        var found = new List<string>();
        _live.Bind(1, prefix).Bind(2, After(prefix));
        while (_live.Step()) found.Add(_live.Text(0));
        return found;
    }

    /// <summary>The newest snapshot in a range.</summary>
    public JournalSnapshot? Snapshot(string persistenceId, JournalSnapshotRange range)
    {
        _snapshot.Bind(1, persistenceId).Bind(2, range.SequenceMin).Bind(3, range.SequenceMax)
            .Bind(4, JournalTime.ToNanoseconds(range.AtMin)).Bind(5, JournalTime.ToNanoseconds(range.AtMax));
        if (!_snapshot.Step()) return null;
        var newest = new JournalSnapshot(_snapshot.Integer(0), JournalTime.FromNanoseconds(_snapshot.Integer(1)),
            _snapshot.Text(2), _snapshot.Bytes(3).ToArray());
        _snapshot.Reset();
        return newest;
    }

    public bool Knows(string entityId) => _exactId.Bind(1, entityId).Scalar() is not null;

    public IReadOnlyList<string> EntityIds(string prefix, int max)
    {
        var found = new List<string>();
        _idsByPrefix.Bind(1, prefix).Bind(2, After(prefix)).Bind(3, max);
        while (_idsByPrefix.Step()) found.Add(_idsByPrefix.Text(0));
        return found;
    }

    public IReadOnlyList<JournalEntry> History(string entityId, long after, int max)
    {
        var found = new List<JournalEntry>();
        _history.Bind(1, entityId).Bind(2, after).Bind(3, max);
        while (_history.Step())
            found.Add(new JournalEntry(_history.Integer(0), JournalTime.FromNanoseconds(_history.Integer(1)),
                _history.Text(2), _history.Integer(3), _history.Text(4), _history.Text(5)));
        return found;
    }

    public void Dispose()
    {
        foreach (var statement in _statements) statement.Dispose();
        Connection.Dispose();
    }

    // The end of the range of texts that start with a prefix: no text is above the last code point.
    private static string After(string prefix) => prefix + "\U0010FFFF";

    private JournalStatement Prepare(string sql)
    {
        var statement = new JournalStatement(Connection, sql);
        _statements.Add(statement);
        return statement;
    }
}
