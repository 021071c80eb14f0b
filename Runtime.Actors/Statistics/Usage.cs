using System.Collections.Immutable;
using Runtime.Linux.Cgroups;
using Runtime.Linux.Network;

namespace Runtime.Actors.Statistics;

/// <summary>What a container used.</summary>
/// <param name="Cgroup">Null unless it runs.</param>
/// <param name="Layer">What it has written over its image; null where the snapshot is gone.</param>
public sealed record ContainerUsage(CgroupUsage? Cgroup, LayerUsage? Layer);

/// <summary>What a cgroup used.</summary>
/// <param name="At">When it was read.</param>
/// <param name="NanoCores">CPU time per time since the reading before, in 10^-9 CPUs; null before the second reading.</param>
/// <param name="Processes">How many there are.</param>
public sealed record CgroupUsage(DateTimeOffset At, CgroupStatistics Statistics, ulong? NanoCores, int Processes);

/// <param name="Mountpoint">A directory of the file system that holds it.</param>
/// <param name="Bytes">Allocated on disk.</param>
public sealed record LayerUsage(DateTimeOffset At, string Mountpoint, long Bytes, long Inodes);

/// <summary>What a pod used.</summary>
/// <param name="Pod">Of the pod's cgroup; null where it has none of its own.</param>
/// <param name="Network">Null on the host's network.</param>
public sealed record PodUsage(CgroupUsage? Pod, NetworkUsage? Network);

/// <param name="Interfaces">eth0 first, then the others by name; without the loopback.</param>
public sealed record NetworkUsage(DateTimeOffset At, ImmutableArray<InterfaceCounters> Interfaces);
