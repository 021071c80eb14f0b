namespace Runtime.Actors.Statistics;

/// <summary>Makes a rate of a counter of CPU time. Not thread-safe.</summary>
internal sealed class CpuRate
{
    /// <summary>Readings that are closer to each other than this say more about the kernel's ticks than about the load.</summary>
    private static readonly TimeSpan IntervalMin = TimeSpan.FromMilliseconds(250);

    private DateTimeOffset _since;
    private ulong? _from;
    private ulong? _rate;

    /// <summary>The rate since the reading before, in nanoseconds of CPU time per second; null at the first.</summary>
    public ulong? Take(DateTimeOffset at, ulong nanoseconds)
    {
        var elapsed = at - _since;
        // The clock was set back, or the cgroup was made anew: this reading is a first one.
        if (_from is null || elapsed < TimeSpan.Zero || nanoseconds < _from) _rate = null;
        else if (elapsed < IntervalMin) return _rate;
        else _rate = (ulong)((nanoseconds - _from.Value) / elapsed.TotalSeconds);
        (_since, _from) = (at, nanoseconds);
        return _rate;
    }
}
