namespace Runtime.Actors.Containers;

/// <summary>What the configuration decides about every container.</summary>
public sealed record ContainerPolicy
{
    /// <summary><c>blockio_config_file</c>; null: none is configured, or it could not be read.</summary>
    public BlockIoClasses? BlockIo { get; init; }

    /// <summary><c>ignore_blockio_not_enabled_errors</c>.</summary>
    public bool IgnoreBlockIoClasses { get; init; }

    /// <summary><c>ignore_rdt_not_enabled_errors</c>.</summary>
    public bool IgnoreRdtClasses { get; init; }
}
