using Microsoft.Data.Sqlite;

namespace Runtime.Actors.Journal;

/// <summary>Looks for damage when a journal is opened. It reports; it repairs nothing.</summary>
internal static class JournalInspection
{
    /// <exception cref="Faults.FaultException">DataLoss, with the first finding.</exception>
    public static void Run(SqliteConnection connection, JournalOptions options)
    {
        if (options.Check == JournalCheck.Off) return;
        using (var check = new JournalStatement(
            connection, options.Check == JournalCheck.Full ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)"))
        {
            while (check.Step())
            {
                if (check.Text(0) is var finding and not "ok")
                    throw JournalErrors.Damaged(options.Path, finding.ReplaceLineEndings(" ")).ToException();
            }
        }
        if (options.Check == JournalCheck.Full) CompareChecksums(connection, options.Path);
    }

    private static void CompareChecksums(SqliteConnection connection, string path)
    {
        using var events = new JournalStatement(connection,
            "SELECT e.sequence_nr, e.crc, e.payload, n.persistence_id FROM events e JOIN entities n ON n.id = e.entity");
        while (events.Step())
        {
            var sequence = events.Integer(0);
            if (events.Integer(1) != JournalChecksum.Of(sequence, events.Bytes(2)))
                throw JournalErrors.DamagedEvent(path, events.Text(3), sequence).ToException();
        }
    }
}
