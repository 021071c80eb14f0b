namespace Runtime.Actors.Journal;

/// <summary>The statements of a compaction. Each call runs inside one transaction of the writer.</summary>
internal sealed class JournalCompactor(JournalSession session)
{
    // Free pages are the room that the next events go to: only what exceeds a quarter of the file is given back.
    private const int FreeShareKept = 4;

    // A life whose deletion began is finished first: it is no longer replayed, and its rows only wait.
    private readonly JournalStatement _oldest = session.Prepare(
        """
        SELECT id, persistence_id, ended_to, ended, ended_at FROM entities
        WHERE ended_to > deleted_to ORDER BY ended_at LIMIT 1
        """);

    private readonly JournalStatement _delete = session.Prepare(
        """
        DELETE FROM events WHERE ordering IN
          (SELECT ordering FROM events WHERE entity = ?1 AND sequence_nr <= ?2 ORDER BY sequence_nr LIMIT ?3)
        RETURNING ordering
        """);

    private readonly JournalStatement _mark = session.Prepare("UPDATE entities SET deleted_to = ?2 WHERE id = ?1");
    private readonly JournalStatement _forget = session.Prepare("DELETE FROM entities WHERE id = ?1");
    private readonly JournalStatement _pageSize = session.Prepare("PRAGMA page_size");
    private readonly JournalStatement _pages = session.Prepare("PRAGMA page_count");
    private readonly JournalStatement _freePages = session.Prepare("PRAGMA freelist_count");

    public readonly record struct Progress(bool Found, bool Finished, long Deleted);

    /// <summary>Deletes at most <paramref name="max"/> events of the life that ended first, if its time has come.</summary>
    public Progress Step(long before, long bytesMax, int max)
    {
        if (!_oldest.Step()) return default;
        var (id, persistenceId, endedTo, ended) =
            (_oldest.Integer(0), _oldest.Text(1), _oldest.Integer(2), _oldest.Integer(3) != 0);
        var endedAt = _oldest.Integer(4);
        _oldest.Reset();
        if (endedAt >= before && UsedBytes() <= bytesMax) return default;

        var deleted = 0;
        _delete.Bind(1, id).Bind(2, endedTo).Bind(3, max);
        while (_delete.Step()) deleted++;
        if (deleted == max) return new Progress(true, false, deleted);

        // All of that life is gone. The row stays while the id is used, for the highest sequence number.
        if (ended)
        {
            session.DeleteSnapshots(persistenceId, JournalSnapshotRange.All);
            _forget.Bind(1, id).Run();
        }
        else
        {
            _mark.Bind(1, id).Bind(2, endedTo).Run();
        }
        session.Forget();
        return new Progress(true, true, deleted);
    }

    /// <summary>Returns free pages to the file system; false when nothing is left to give.</summary>
    public bool GiveBack(int pages)
    {
        var free = _freePages.Scalar() ?? 0;
        if (free <= (_pages.Scalar() ?? 0) / FreeShareKept || free < pages) return false;
        JournalFile.Execute(session.Connection, $"PRAGMA incremental_vacuum({pages})");
        return true;
    }

    public long UsedBytes() => ((_pages.Scalar() ?? 0) - (_freePages.Scalar() ?? 0)) * (_pageSize.Scalar() ?? 0);
}
