using Microsoft.Extensions.Time.Testing;
using Runtime.Actors.Containers;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Sandboxes;
using Runtime.Actors.Shims;
using Runtime.Actors.Statistics;
using Runtime.Linux.Cgroups;
using Runtime.Linux.Files;
using Runtime.Tests.Support;
using Runtime.Tests.Unit.Cri;
using Xunit;

namespace Runtime.Tests.Unit.Statistics;

/// <summary>The sampler on a directory that looks like cgroup v2.</summary>
public sealed class StatisticsSamplerTests : IDisposable
{
    private readonly TempDirectory _root = new();
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UnixEpoch.AddDays(1));
    private readonly ReadModel<SandboxView> _sandboxes = new();
    private readonly ReadModel<ContainerView> _containers = new();
    private readonly FakeLayers _layers = new();
    private readonly StatisticsSampler _sampler;
    private readonly ContainerView _container = ScriptedDomain.Container();
    private readonly SandboxView _sandbox;

    public StatisticsSamplerTests()
    {
        _sandbox = ScriptedDomain.Sandbox() with { Pid = 7, NetworkNamespacePath = "/run/netns/a" };
        _sandbox = _sandbox with { Config = _sandbox.Config with { CgroupParent = "/pods/one" } };
        _sandboxes.Set(NamespaceName.Kubernetes, _sandbox.Id, _sandbox);
        _containers.Set(NamespaceName.Kubernetes, _container.Id, _container);
        Put("cgroup.controllers", "cpu memory pids\n");
        PutUsage(Leaf, cpuMicroseconds: 1_000_000);
        PutUsage("pods/one", cpuMicroseconds: 2_000_000);
        var handlers = new RuntimeHandlers("runc", System.Collections.Immutable.ImmutableSortedDictionary<string, RuntimeHandler>.Empty.Add("runc", new RuntimeHandler { Name = "runc" }));
        _sampler = new StatisticsSampler(
            new StatisticsSources(CgroupHierarchy.Detect(_root.Path), _layers, handlers, _sandboxes, _containers),
            new StatisticsOptions { Proc = _root["proc"] }, _clock);
    }

    private string Leaf => $"pods/one/{_container.Id}";

    public void Dispose() => _root.Dispose();

    [Fact]
    public void What_has_never_been_read_is_read_when_it_is_asked_for_and_then_not_until_that_has_become_old()
    {
        Assert.Equal(1_000_000_000ul, Ask()!.Cgroup!.Statistics.Cpu!.Value.UsageNanoseconds);
        PutUsage(Leaf, cpuMicroseconds: 5_000_000);
        for (var i = 0; i < 100; i++) Assert.Equal(1_000_000_000ul, Ask()!.Cgroup!.Statistics.Cpu!.Value.UsageNanoseconds);
        Assert.Equal(1, _layers.Walks);

        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Empty(_sampler.Sweep(CancellationToken.None));

        var usage = Ask()!.Cgroup!;
        Assert.Equal(5_000_000_000ul, usage.Statistics.Cpu!.Value.UsageNanoseconds);
        Assert.Equal(_clock.GetUtcNow(), usage.At);
    }

    [Fact]
    public void A_second_later_a_cgroup_is_read_again_for_who_asks_and_a_layer_is_not()
    {
        Assert.Equal(_clock.GetUtcNow(), Ask()!.Cgroup!.At);
        Assert.Equal(_clock.GetUtcNow(), _sampler.Find(NamespaceName.Kubernetes, _sandbox)!.Pod!.At);
        PutUsage(Leaf, cpuMicroseconds: 1_250_000);
        PutUsage("pods/one", cpuMicroseconds: 2_500_000);
        _clock.Advance(TimeSpan.FromSeconds(1));

        var container = Ask()!;
        Assert.Equal((_clock.GetUtcNow(), 250_000_000ul), (container.Cgroup!.At, container.Cgroup.NanoCores!.Value));
        Assert.Equal(1, _layers.Walks);
        var pod = _sampler.Find(NamespaceName.Kubernetes, _sandbox)!.Pod!;
        Assert.Equal((_clock.GetUtcNow(), 500_000_000ul), (pod.At, pod.NanoCores!.Value));
    }

    [Fact]
    public async Task Who_asks_while_a_sweep_walks_a_layer_gets_what_is_known()
    {
        var known = Ask()!.Cgroup!.At;
        _clock.Advance(TimeSpan.FromMinutes(1));
        using var walking = new SemaphoreSlim(0);
        using var asked = new SemaphoreSlim(0);
        _layers.Takes = () =>
        {
            walking.Release();
            asked.Wait(TimeSpan.FromSeconds(20));
        };
        var sweep = Task.Run(() => _sampler.Sweep(CancellationToken.None));
        Assert.True(await walking.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));

        Assert.Equal(known, Ask()!.Cgroup!.At);
        asked.Release();
        Assert.Empty(await sweep);
        Assert.Equal(_clock.GetUtcNow(), Ask()!.Cgroup!.At);
    }

    [Fact]
    public void The_rate_is_known_from_the_second_reading_on()
    {
        Assert.Null(Ask()!.Cgroup!.NanoCores);
        PutUsage(Leaf, cpuMicroseconds: 6_000_000);
        _clock.Advance(TimeSpan.FromSeconds(10));
        _sampler.Sweep(CancellationToken.None);

        Assert.Equal(500_000_000ul, Ask()!.Cgroup!.NanoCores); // 5 s of CPU time in 10 s
    }

    [Fact]
    public void A_running_container_whose_cgroup_is_gone_is_left_out_and_others_are_not()
    {
        var other = ScriptedDomain.Container('d');
        _containers.Set(NamespaceName.Kubernetes, other.Id, other);

        Assert.Empty(_sampler.Sweep(CancellationToken.None));

        Assert.Null(_sampler.Find(NamespaceName.Kubernetes, other));
        Assert.NotNull(Ask());
    }

    [Fact]
    public void A_container_that_has_exited_shows_its_layer_alone_and_one_that_never_started_nothing()
    {
        Assert.NotNull(Ask()!.Cgroup);
        var exited = _sampler.Find(NamespaceName.Kubernetes, _container with { Phase = ContainerPhase.Exited })!;
        Assert.Null(exited.Cgroup);
        Assert.Equal((4096L, 3L, "/layers"), (exited.Layer!.Bytes, exited.Layer.Inodes, exited.Layer.Mountpoint));
        Assert.Null(_sampler.Find(NamespaceName.Kubernetes, _container with { Phase = ContainerPhase.Created, StartedAt = null }));
    }

    [Fact]
    public void A_layer_that_takes_long_to_walk_is_walked_seldom()
    {
        _layers.Takes = () => _clock.Advance(TimeSpan.FromSeconds(2));
        Ask();
        for (var i = 0; i < 3; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(10));
            _sampler.Sweep(CancellationToken.None);
        }
        Assert.Equal(1, _layers.Walks);
        _clock.Advance(TimeSpan.FromSeconds(10));
        _sampler.Sweep(CancellationToken.None);
        Assert.Equal(2, _layers.Walks);
    }

    [Fact]
    public void A_pod_shows_its_cgroup_and_its_network_with_the_primary_interface_first()
    {
        Put("proc/7/net/dev", "h\nh\nlo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\nabc0: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\neth0: 5 1 0 0 0 0 0 0 6 1 0 0 0 0 0 0\n");

        var usage = _sampler.Find(NamespaceName.Kubernetes, _sandbox)!;

        Assert.Equal(2_000_000_000ul, usage.Pod!.Statistics.Cpu!.Value.UsageNanoseconds);
        Assert.Equal(["eth0", "abc0"], usage.Network!.Interfaces.Select(one => one.Name));
        Assert.Null(_sampler.Find(NamespaceName.Kubernetes, _sandbox with { Phase = SandboxPhase.NotReady }));
    }

    [Fact]
    public void Systemds_scopes_are_found_below_the_slices_that_their_names_tell()
    {
        var handler = new RuntimeHandler { Name = "runc", Options = new RuncOptions { SystemdCgroup = true } };
        var sandbox = _sandbox with { Config = _sandbox.Config with { CgroupParent = "kubepods-burstable-pod1.slice" } };

        Assert.Equal(
            $"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-{_container.Id}.scope",
            CgroupPaths.Of("k8s.io", sandbox, _container, handler));
        Assert.Equal("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice", CgroupPaths.OfPod(sandbox));
        Assert.Equal($"/pods/one/{_container.Id}", CgroupPaths.Of("k8s.io", _sandbox, _container, null));
    }

    private ContainerUsage? Ask() => _sampler.Find(NamespaceName.Kubernetes, _container);

    private void PutUsage(string cgroup, long cpuMicroseconds)
    {
        Put($"{cgroup}/cpu.stat", $"usage_usec {cpuMicroseconds}\n");
        Put($"{cgroup}/memory.current", "100\n");
        Put($"{cgroup}/cgroup.procs", "");
    }

    private void Put(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_root[path])!);
        File.WriteAllText(_root[path], text);
    }

    private sealed class FakeLayers : IWritableLayers
    {
        public int Walks { get; private set; }

        public Action Takes { get; set; } = () => { };

        public string MountpointOf(string snapshotter) => "/layers";

        public DiskUsage? Measure(NamespaceName space, ContainerView container, CancellationToken cancellation)
        {
            Walks++;
            Takes();
            return new DiskUsage(4096, 3);
        }
    }
}
