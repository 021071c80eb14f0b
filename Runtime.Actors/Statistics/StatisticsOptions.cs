namespace Runtime.Actors.Statistics;

public sealed record StatisticsOptions
{
    /// <summary>
    /// A writable layer is walked again when this many times the time of its last walk has passed: a layer of a million
    /// files takes no more than a twentieth of a CPU.
    /// </summary>
    public int LayerRest { get; init; } = 20;

    /// <summary>Where /proc is mounted; a parameter for tests.</summary>
    public string Proc { get; init; } = "/proc";
}
