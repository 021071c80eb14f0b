namespace Runtime.Ttrpc.Wire;

/// <summary>google.protobuf.Timestamp: seconds since 1970 (field 1) and nanoseconds (field 2). Ours has a resolution of 100 ns.</summary>
public static class WireTime
{
    private const int NanosPerTick = 100;

    public static void Time(this WireWriter writer, int field, DateTimeOffset? time)
    {
        if (time is not { } value)
            return;
        var start = writer.Begin(field);
        var ticks = value.UtcTicks - DateTime.UnixEpoch.Ticks;
        var seconds = Math.DivRem(ticks, TimeSpan.TicksPerSecond, out var rest);
        if (rest < 0)
            (seconds, rest) = (seconds - 1, rest + TimeSpan.TicksPerSecond);
        writer.Int64(1, seconds);
        writer.Int64(2, rest * NanosPerTick);
        writer.End(start);
    }

    /// <summary>Null for Go's zero time and what lies outside of the years 1 to 9999.</summary>
    public static DateTimeOffset? Time(this ref WireReader reader)
    {
        var (seconds, nanos) = (0L, 0);
        var time = reader.Nested();
        while (time.Next(out var field))
        {
            switch (field)
            {
                case 1: seconds = time.Int64(); break;
                case 2: nanos = time.Int32(); break;
                default: time.Skip(); break;
            }
        }
        const long GoZero = -62135596800;
        return seconds is <= GoZero or > 253402300799 || nanos is < 0 or > 999_999_999
            ? null
            : DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks(nanos / NanosPerTick);
    }
}
