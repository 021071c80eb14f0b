namespace Runtime.Actors.Statistics;

public sealed record StatisticsOptions
{
    /// <summary>
    /// A writable layer is walked again when this many times the time of its last walk has passed: a layer of a million
    /// files takes no more than a twentieth of a CPU.
    /// </summary>
    public int LayerRest { get; init; } = 20;

    /// <summary>
    /// A cgroup is read again for who asks when its last reading is this old: clients such as <c>crictl stats</c> ask twice,
    /// a second apart, and make a rate of the difference.
    /// </summary>
    public TimeSpan ReadingRest { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Where /proc is mounted; a parameter for tests.</summary>
    public string Proc { get; init; } = "/proc";
}
