using Runtime.Faults;

namespace Runtime.Actors.Journal;

/// <summary>Reads and copies the journal beside the running daemon.</summary>
public interface IJournalReader
{
    /// <summary>Events of the entity whose id is, or uniquely starts with, <paramref name="id"/>; oldest first.</summary>
    /// <exception cref="FaultException">NotFound; InvalidArgument when a prefix is not unique or below 4 characters.</exception>
    IAsyncEnumerable<JournalEntry> HistoryAsync(string id, CancellationToken cancellation);

    /// <summary>Copies the journal online, consistently, and answers the copy's size in bytes.</summary>
    /// <exception cref="FaultException">AlreadyExists when the file is there.</exception>
    Task<long> BackupAsync(string path, CancellationToken cancellation);
}

/// <param name="Ordering">Node-wide position: grows, never repeats.</param>
/// <param name="PayloadJson">As stored.</param>
public sealed record JournalEntry(
    long Ordering, DateTimeOffset At, string PersistenceId, long Sequence, string Manifest, string PayloadJson);
