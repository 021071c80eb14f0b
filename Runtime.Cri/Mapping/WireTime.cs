namespace Runtime.Cri.Mapping;

/// <summary>Times as CRI has them: nanoseconds since 1970, where 0 means "not yet".</summary>
internal static class WireTime
{
    /// <summary>Sized for timers, which end at 2^31 milliseconds; a longer wait than these 24 days is as good as this one.</summary>
    private const long SecondsMax = int.MaxValue / 1000;

    private const long NanosecondsPerTick = 100;

    public static long Nanoseconds(DateTimeOffset? at) =>
        at is { } known ? (known - DateTimeOffset.UnixEpoch).Ticks * NanosecondsPerTick : 0;

    /// <exception cref="Runtime.Faults.FaultException">InvalidArgument for a negative number.</exception>
    public static TimeSpan Seconds(long seconds, string field) =>
        TimeSpan.FromSeconds(Math.Min(RequestCheck.NotNegative(seconds, field), SecondsMax));
}
