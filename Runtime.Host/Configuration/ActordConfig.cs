using System.Collections.Immutable;
using Runtime.Actors.Containers;
using Runtime.Actors.Shims;
using Runtime.Cri.Streaming;

namespace Runtime.Host.Configuration;

/// <summary>The whole configuration, typed and checked. The keys behind it are documented in <see cref="ConfigKeys"/>.</summary>
public sealed record ActordConfig
{
    public required string Root { get; init; }

    public required string State { get; init; }

    public required int OomScore { get; init; }

    public required string LogLevel { get; init; }

    public required bool LogJson { get; init; }

    public required SocketConfig Grpc { get; init; }

    public required SocketConfig Ttrpc { get; init; }

    /// <summary>Bytes.</summary>
    public required int MaxReceiveSize { get; init; }

    /// <summary>Bytes.</summary>
    public required int MaxSendSize { get; init; }

    public required JournalConfig Journal { get; init; }

    /// <summary>Faults on purpose may be asked for.</summary>
    public required bool ChaosEnabled { get; init; }

    public required ImagesConfig Images { get; init; }

    public required RuntimeHandlers Runtimes { get; init; }

    public required CniConfig Cni { get; init; }

    public required ContainersConfig Containers { get; init; }

    public required StreamingOptions Streaming { get; init; }
}

/// <param name="Address">Path of the unix socket.</param>
public sealed record SocketConfig(string Address, int Uid, int Gid);

/// <param name="Synchronous"><c>normal</c> or <c>full</c>.</param>
/// <param name="Check"><c>off</c>, <c>quick</c> or <c>full</c>.</param>
/// <param name="RetentionSize">Bytes.</param>
public sealed record JournalConfig(string Synchronous, string Check, TimeSpan Retention, long RetentionSize);

/// <param name="RegistryConfigPaths">Directories of hosts.toml files, in order.</param>
public sealed record ImagesConfig(
    string Snapshotter, string SandboxImage, int MaxConcurrentDownloads, TimeSpan PullProgressTimeout, bool SyncFs,
    ImmutableArray<string> RegistryConfigPaths)
{
    /// <summary>Pause between two readings of what everything uses.</summary>
    public TimeSpan StatsPeriod { get; init; } = TimeSpan.FromSeconds(10);
}

/// <param name="IpPreference"><c>ipv4</c>, <c>ipv6</c> or <c>cni</c>.</param>
public sealed record CniConfig(ImmutableArray<string> BinDirs, string ConfDir, string ConfTemplate, int MaxConfNum, string IpPreference);

/// <param name="LogLineMax">Bytes; -1 for no limit.</param>
/// <param name="LogSizeMax">Bytes; -1 for no limit.</param>
public sealed record ContainersConfig(
    int LogLineMax, long LogSizeMax, bool RestrictOomScoreAdj, string UnsetSeccompProfile, TimeSpan DrainExecTimeout,
    bool IgnoreImageVolumes, bool UnprivilegedPorts, bool UnprivilegedIcmp)
{
    /// <summary>Null: pods have no pause container.</summary>
    public string? PauseImage { get; init; }

    public bool UsualProcPaths { get; init; }

    public bool DevicesOfUser { get; init; }

    /// <summary>Empty: no classes of block I/O.</summary>
    public string BlockIoFile { get; init; } = "";

    public bool HugetlbDisabled { get; init; }

    public bool HugetlbRequired { get; init; }

    public required ContainerPolicy Policy { get; init; }

    public required bool DisableApparmor { get; init; }

    public required bool EnableSelinux { get; init; }

    public required int SelinuxCategories { get; init; }

    /// <summary>Empty: no CDI.</summary>
    public required ImmutableArray<string> CdiSpecDirs { get; init; }
}
