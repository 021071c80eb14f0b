namespace Runtime.Actors.Journal;

/// <summary>When a stored event is safe from a power loss. A killed daemon loses nothing with either.</summary>
public enum JournalSynchronous
{
    /// <summary>The last commits before a power loss may be missing; what is there is whole.</summary>
    Normal,

    /// <summary>Every commit waits for the disk.</summary>
    Full,
}

/// <summary>How much of the file is checked when it is opened. Damage is reported, and never repaired silently.</summary>
public enum JournalCheck
{
    Off,

    /// <summary>SQLite's <c>quick_check</c>: every page is well formed. A few ms per MiB.</summary>
    Quick,

    /// <summary>SQLite's <c>integrity_check</c>, which also compares indexes with tables, and the checksum of every event.</summary>
    Full,
}

/// <summary>The journal's settings.</summary>
/// <param name="Path">The SQLite file; made with mode 0600 in a directory of mode 0700 where missing.</param>
public sealed record JournalOptions(string Path)
{
    public JournalSynchronous Synchronous { get; init; } = JournalSynchronous.Normal;

    public JournalCheck Check { get; init; } = JournalCheck.Quick;

    /// <summary>How long events of entities that are gone are kept for event consumers and <c>history</c>.</summary>
    public TimeSpan RetentionAge { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Bytes of the file beyond which events of entities that are gone are dropped earlier, oldest first.</summary>
    public long RetentionBytes { get; init; } = 256L << 20;

    /// <summary>
    /// Requests that may wait for the writer. Sized for one from each of ten thousand entities, with room; beyond it a
    /// request is refused as ResourceExhausted.
    /// </summary>
    public int QueueMax { get; init; } = 65_536;
}
