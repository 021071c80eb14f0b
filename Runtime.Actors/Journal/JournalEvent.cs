namespace Runtime.Actors.Journal;

/// <summary>One event as the store sees it.</summary>
/// <param name="Sequence">Grows within one persistence id; gaps are fine.</param>
/// <param name="Payload">UTF-8 JSON, not empty.</param>
/// <param name="EndsEntity">See <see cref="JournalType.EndsEntity"/>.</param>
public readonly record struct JournalEvent(
    long Sequence, string Manifest, ReadOnlyMemory<byte> Payload, bool EndsEntity = false);

/// <summary>Called for each event of a replay. The payload is valid only during the call.</summary>
public delegate void JournalReplay(long sequence, DateTimeOffset at, string manifest, ReadOnlySpan<byte> payload);

/// <summary>A stored snapshot.</summary>
/// <param name="Payload">UTF-8 JSON.</param>
public sealed record JournalSnapshot(long Sequence, DateTimeOffset At, string Manifest, ReadOnlyMemory<byte> Payload);

/// <summary>Which snapshots of one persistence id are meant; bounds are inclusive.</summary>
public readonly record struct JournalSnapshotRange(
    long SequenceMin, long SequenceMax, DateTimeOffset AtMin, DateTimeOffset AtMax)
{
    public static readonly JournalSnapshotRange All = new(0, long.MaxValue, DateTimeOffset.MinValue, DateTimeOffset.MaxValue);
}
