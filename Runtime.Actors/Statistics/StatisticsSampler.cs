using System.Collections.Concurrent;
using Runtime.Actors.Containers;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Sandboxes;
using Runtime.Actors.Shims;
using Runtime.Faults;
using Runtime.Linux.Cgroups;
using Runtime.Linux.Network;

namespace Runtime.Actors.Statistics;

/// <summary>Where usage is read from.</summary>
public sealed record StatisticsSources(
    CgroupHierarchy Cgroups, IWritableLayers Layers, RuntimeHandlers Handlers, ReadModel<SandboxView> Sandboxes,
    ReadModel<ContainerView> Containers);

/// <summary>
/// Reads usage from the kernel's files, never through shims: everything in one go, at the pace of
/// <see cref="StatisticsActor"/>, and in between the cgroups and interfaces that someone asks for. Thread-safe.
/// </summary>
public sealed class StatisticsSampler(StatisticsSources sources, StatisticsOptions options, TimeProvider clock) : IStatistics
{
    private const string PrimaryInterface = "eth0";
    private const string Loopback = "lo";

    private readonly ConcurrentDictionary<(NamespaceName Space, string Id), ContainerEntry> _containers = [];
    private readonly ConcurrentDictionary<(NamespaceName Space, string Id), PodEntry> _pods = [];

    public ContainerUsage? Find(NamespaceName space, ContainerView container)
    {
        if (container.StartedAt is null || !sources.Containers.In(space).ContainsKey(container.Id)) return null;
        var entry = _containers.GetOrAdd((space, container.Id), _ => new ContainerEntry());
        var usage = entry.Usage ?? First(entry, () => entry.Usage ??= Read(space, container, entry, CancellationToken.None));
        if (IsOld(usage.Cgroup)) usage = Again(entry, usage, () => entry.Usage = Renew(entry));
        if (container.Phase != ContainerPhase.Running) return usage with { Cgroup = null };
        return usage.Cgroup is null ? null : usage;
    }

    public PodUsage? Find(NamespaceName space, SandboxView sandbox)
    {
        if (sandbox.Phase != SandboxPhase.Ready) return null;
        var entry = _pods.GetOrAdd((space, sandbox.Id), _ => new PodEntry());
        var usage = entry.Usage ?? First(entry, () => entry.Usage ??= Read(sandbox, entry));
        return IsOld(usage.Pod) ? Again(entry, usage, () => entry.Usage = Read(sandbox, entry)) : usage;
    }

    /// <summary>Reads everything once, and forgets what is gone. What cannot be read is left out until it can.</summary>
    /// <returns>What went wrong, a line each.</returns>
    public IReadOnlyList<string> Sweep(CancellationToken cancellation)
    {
        var failures = new List<string>();
        foreach (var (space, sandboxes) in sources.Sandboxes.All)
        {
            foreach (var sandbox in sandboxes.Values.Where(sandbox => sandbox.Phase == SandboxPhase.Ready))
            {
                cancellation.ThrowIfCancellationRequested();
                var entry = _pods.GetOrAdd((space, sandbox.Id), _ => new PodEntry());
                Attempt(failures, sandbox.Id, entry, () => entry.Usage = Read(sandbox, entry));
            }
        }
        foreach (var (space, containers) in sources.Containers.All)
        {
            foreach (var container in containers.Values.Where(container => container.StartedAt is not null))
            {
                cancellation.ThrowIfCancellationRequested();
                var entry = _containers.GetOrAdd((space, container.Id), _ => new ContainerEntry());
                Attempt(failures, container.Id, entry, () => entry.Usage = Read(space, container, entry, cancellation));
            }
        }
        foreach (var (space, id) in _containers.Keys)
            if (!sources.Containers.In(space).ContainsKey(id)) _containers.TryRemove((space, id), out _);
        foreach (var (space, id) in _pods.Keys)
            if (sources.Sandboxes.Find(space, id) is not { Phase: SandboxPhase.Ready }) _pods.TryRemove((space, id), out _);
        return failures;
    }

    // Several may ask for the same new one: one of them reads it. Who asks later never waits for a sweep.
    private static T First<T>(object entry, Func<T> read)
    {
        lock (entry) return read();
    }

    private bool IsOld(CgroupUsage? usage) => usage is not null && clock.GetUtcNow() - usage.At >= options.ReadingRest;

    // Who finds another at it takes what is known: a sweep may be walking a large layer. That the cgroup cannot be read is
    // for the sweep to tell.
    private static T Again<T>(object entry, T known, Func<T> read)
    {
        if (!Monitor.TryEnter(entry)) return known;
        try
        {
            return read();
        }
        catch (FaultException)
        {
            return known;
        }
        finally
        {
            Monitor.Exit(entry);
        }
    }

    private static void Attempt(List<string> failures, string id, object entry, Action read)
    {
        try
        {
            lock (entry) read();
        }
        catch (FaultException unreadable)
        {
            failures.Add($"{id}: {unreadable.Fault.Message}");
        }
    }

    private ContainerUsage Read(NamespaceName space, ContainerView container, ContainerEntry entry, CancellationToken cancellation)
    {
        var layer = ReadLayer(space, container, entry, cancellation);
        if (container.Phase != ContainerPhase.Running || sources.Sandboxes.Find(space, container.SandboxId) is not { } sandbox)
            return new ContainerUsage(null, layer);
        var handler = sources.Handlers.ByName.GetValueOrDefault(container.RuntimeHandler);
        entry.Cgroup ??= CgroupPaths.Of(space.Value, sandbox, container, handler);
        return new ContainerUsage(Read(entry.Cgroup, entry.Rate), layer);
    }

    private ContainerUsage Renew(ContainerEntry entry) => entry.Usage! with { Cgroup = Read(entry.Cgroup!, entry.Rate) };

    private LayerUsage? ReadLayer(NamespaceName space, ContainerView container, ContainerEntry entry, CancellationToken cancellation)
    {
        if (entry.Usage is { Layer: { } known } && clock.GetUtcNow() < entry.NextWalk) return known;
        var start = clock.GetTimestamp();
        if (sources.Layers.Measure(space, container, cancellation) is not { } measured) return null;
        var at = clock.GetUtcNow();
        entry.NextWalk = at + clock.GetElapsedTime(start) * options.LayerRest;
        return new LayerUsage(at, sources.Layers.MountpointOf(container.Snapshotter), measured.Bytes, measured.Inodes);
    }

    private PodUsage Read(SandboxView sandbox, PodEntry entry)
    {
        entry.Cgroup ??= CgroupPaths.OfPod(sandbox);
        return new PodUsage(entry.Cgroup.Length > 0 ? Read(entry.Cgroup, entry.Rate) : null, ReadNetwork(sandbox));
    }

    private CgroupUsage? Read(string cgroup, CpuRate rate)
    {
        if (sources.Cgroups.TryReadStatistics(cgroup) is not { } statistics) return null;
        var at = clock.GetUtcNow();
        var nanoCores = statistics.Cpu is { } cpu ? rate.Take(at, cpu.UsageNanoseconds) : null;
        return new CgroupUsage(at, statistics, nanoCores, sources.Cgroups.CountProcesses(cgroup));
    }

    private NetworkUsage? ReadNetwork(SandboxView sandbox)
    {
        if (sandbox.NetworkNamespacePath.Length == 0 || sandbox.Pid == 0) return null;
        if (InterfaceCounters.TryRead(sandbox.Pid, options.Proc) is not { } interfaces) return null;
        return new NetworkUsage(clock.GetUtcNow(),
        [
            .. interfaces.Where(one => one.Name != Loopback)
                .OrderByDescending(one => one.Name == PrimaryInterface).ThenBy(one => one.Name, StringComparer.Ordinal),
        ]);
    }

    private sealed class ContainerEntry
    {
        public CpuRate Rate { get; } = new();

        public ContainerUsage? Usage { get; set; }

        public string? Cgroup { get; set; }

        public DateTimeOffset NextWalk { get; set; }
    }

    private sealed class PodEntry
    {
        public CpuRate Rate { get; } = new();

        public PodUsage? Usage { get; set; }

        public string? Cgroup { get; set; }
    }
}
