using System.Collections.Immutable;
using Microsoft.Data.Sqlite;
using Runtime.Faults;

namespace Runtime.Actors.Journal;

/// <summary>
/// The tables, and how an older file gets them. <c>PRAGMA user_version</c> counts the migrations that a file has had;
/// each runs once, in order, in its own transaction.
/// </summary>
internal static class JournalSchema
{
    /// <summary>Extended, never edited once released.</summary>
    public static readonly ImmutableArray<string> Migrations =
    [
        """
        -- One row per persistence id (kind/namespace/id): what is known about it without reading its events.
        CREATE TABLE entities(
          id INTEGER PRIMARY KEY,
          persistence_id TEXT NOT NULL UNIQUE,
          entity_id TEXT NOT NULL,                       -- the id in kind/namespace/id
          highest_sequence_nr INTEGER NOT NULL DEFAULT 0,
          deleted_to INTEGER NOT NULL DEFAULT 0,         -- events up to here were deleted
          ended_to INTEGER NOT NULL DEFAULT 0,           -- the last life that is over had its last event here
          ended_at INTEGER NOT NULL DEFAULT 0,           -- ns since 1970 of that event
          ended INTEGER NOT NULL DEFAULT 0               -- 1: gone, and the id not used again
        ) STRICT;
        CREATE INDEX entities_by_entity_id ON entities(entity_id);
        CREATE INDEX entities_by_end ON entities(ended_at) WHERE ended_to > deleted_to;
        CREATE TABLE manifests(id INTEGER PRIMARY KEY, manifest TEXT NOT NULL UNIQUE) STRICT;
        CREATE TABLE events(
          ordering INTEGER PRIMARY KEY AUTOINCREMENT,    -- grows over the whole node, never repeats
          entity INTEGER NOT NULL,                       -- entities.id
          sequence_nr INTEGER NOT NULL,
          at INTEGER NOT NULL,                           -- ns since 1970
          manifest INTEGER NOT NULL,                     -- manifests.id
          crc INTEGER NOT NULL,                          -- CRC-32C of sequence_nr (64 bits, little endian) and payload
          payload TEXT NOT NULL                          -- JSON
        ) STRICT;
        CREATE UNIQUE INDEX events_by_entity ON events(entity, sequence_nr);
        CREATE TABLE snapshots(
          persistence_id TEXT NOT NULL,
          sequence_nr INTEGER NOT NULL,
          at INTEGER NOT NULL,
          manifest TEXT NOT NULL,
          payload TEXT NOT NULL,
          UNIQUE(persistence_id, sequence_nr)
        ) STRICT;
        -- For people: sqlite3 -readonly journal.db "SELECT * FROM history WHERE persistence_id LIKE '%/ID'"
        CREATE VIEW history AS
          SELECT e.ordering,
                 strftime('%Y-%m-%dT%H:%M:', e.at / 1000000000, 'unixepoch') ||
                   printf('%02d.%06dZ', (e.at / 1000000000) % 60, (e.at / 1000) % 1000000) AS time,
                 n.persistence_id, e.sequence_nr, m.manifest, e.payload
          FROM events e JOIN entities n ON n.id = e.entity JOIN manifests m ON m.id = e.manifest
          ORDER BY e.ordering;
        """,
    ];

    /// <summary>The file's version; 0 for an empty one.</summary>
    public static long VersionOf(SqliteConnection connection)
    {
        using var version = new JournalStatement(connection, "PRAGMA user_version");
        return version.Scalar() ?? 0;
    }

    /// <exception cref="FaultException">FailedPrecondition: a newer release wrote the file.</exception>
    public static void Refuse(long newer, ImmutableArray<string> migrations, string path)
    {
        if (newer > migrations.Length)
            throw new FaultException(FaultKind.FailedPrecondition, "journal.newer-schema",
                $"Journal {path} has schema {newer}; this release knows {migrations.Length}. " +
                "Run the release that wrote it, or a newer one.");
    }

    public static void Upgrade(SqliteConnection connection, ImmutableArray<string> migrations)
    {
        for (var version = (int)VersionOf(connection); version < migrations.Length; version++)
        {
            using var transaction = connection.BeginTransaction();
            using var command = connection.CreateCommand();
            command.Transaction = transaction;
#pragma warning disable CA2100 // constants of this file and a number
            command.CommandText = $"{migrations[version]};\nPRAGMA user_version = {version + 1};";
#pragma warning restore CA2100
            command.ExecuteNonQuery();
            transaction.Commit();
        }
    }
}
