namespace Runtime.Actors.Journal;

/// <summary>Times as they are stored: nanoseconds since 1970-01-01 UTC, in steps of 100.</summary>
internal static class JournalTime
{
    private const long NanosecondsPerTick = 100;

    // 1678 to 2261, which is what 64 bits hold: times outside are bounds of queries, not times of events.
    private static readonly long TicksMin = DateTimeOffset.UnixEpoch.Ticks + (long.MinValue / NanosecondsPerTick);
    private static readonly long TicksMax = DateTimeOffset.UnixEpoch.Ticks + (long.MaxValue / NanosecondsPerTick);

    public static long ToNanoseconds(DateTimeOffset at) =>
        (Math.Clamp(at.UtcTicks, TicksMin, TicksMax) - DateTimeOffset.UnixEpoch.Ticks) * NanosecondsPerTick;

    public static DateTimeOffset FromNanoseconds(long stored) =>
        DateTimeOffset.UnixEpoch.AddTicks(stored / NanosecondsPerTick);
}
