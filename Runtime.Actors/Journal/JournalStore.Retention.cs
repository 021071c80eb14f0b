namespace Runtime.Actors.Journal;

/// <summary>What a compaction did.</summary>
/// <param name="Entities">Lives that were over and are no longer in the journal.</param>
/// <param name="Bytes">The file's size afterwards, without free pages.</param>
public sealed record JournalCompaction(int Entities, long Events, long Bytes);

public sealed partial class JournalStore
{
    private const int CompactedAtOnce = 500; // events deleted in one transaction: a few ms that the writer's others wait
    private const int VacuumedAtOnce = 256; // pages given back in one transaction: 1 MiB

    /// <summary>Compacts as <see cref="JournalOptions"/> say.</summary>
    public Task<JournalCompaction> CompactAsync(DateTimeOffset now, CancellationToken cancellation) =>
        CompactAsync(now - Options.RetentionAge, Options.RetentionBytes, cancellation);

    /// <summary>
    /// Deletes the events of lives that ended before <paramref name="before"/>, then, oldest end first, of further ended
    /// ones until the journal is not above <paramref name="bytesMax"/>; never of a life that goes on. Runs between the
    /// requests of others, in small transactions, and gives free pages back to the file system.
    /// </summary>
    public async Task<JournalCompaction> CompactAsync(DateTimeOffset before, long bytesMax, CancellationToken cancellation)
    {
        var (entities, events) = (0, 0L);
        while (true)
        {
            var step = await ChangeAsync(
                session => session.Compaction.Step(JournalTime.ToNanoseconds(before), bytesMax, CompactedAtOnce), cancellation)
                .ConfigureAwait(false);
            events += step.Deleted;
            if (step.Finished) entities++;
            if (!step.Found) break;
        }
        while (await ChangeAsync(session => session.Compaction.GiveBack(VacuumedAtOnce), cancellation).ConfigureAwait(false))
        {
        }
        var bytes = await ChangeAsync(session => session.Compaction.UsedBytes(), cancellation).ConfigureAwait(false);
        return new JournalCompaction(entities, events, bytes);
    }
}
