using Actord.V1;
using Grpc.Core;
using Runtime.Actors.Entities;
using Runtime.Cri.V1;
using Runtime.Tests.Architecture;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Crash.Steps;

/// <summary>
/// SIGKILL at every persisted step of a pod's life: before and after each event is stored, before and after each effect runs,
/// all of them found in the code. The kubelet's calls, repeated, come to the same end, and nothing is left on the machine.
/// </summary>
[Collection(KernelCollection.Name)]
public sealed class KilledAtEveryStepTests(ITestOutputHelper output)
{
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan CleanLimit = TimeSpan.FromSeconds(20);

    /// <summary>Steps of slices that the life of a pod must pass; the others have tests of their own.</summary>
    private static readonly string[] EventsOfPods = ["sandbox.", "container.", "snapshot."];

    private static readonly string[] EffectsOfPods = ["Runtime.Actors.Sandboxes", "Runtime.Actors.Containers", "Runtime.Actors.Snapshots"];

    [Fact]
    public async Task A_pods_life_survives_a_kill_at_every_step()
    {
        await using var daemon = await DaemonFixture.StartAsync(fixture => fixture.Configuration = "[chaos]\nenabled = true");
        var before = await InventoryAsync(daemon);
        var passed = new HashSet<string>();
        var number = 0;
        foreach (var (place, step) in Steps())
        {
            var life = new PodLife(daemon, $"kill-{++number}");
            output.WriteLine($"{number} {place} {step}");
            if (await life.RunKilledAtAsync(place, step)) passed.Add(step);
            IReadOnlyList<string> left = [];
            await Eventually.AsyncTrue(
                async () => (left = [.. daemon.Leftovers(), .. (await InventoryAsync(daemon)).Except(before)]).Count == 0,
                CleanLimit,
                () => $"killed at {place} {step}, left behind:\n{string.Join('\n', left)}\n{daemon.Log}");
        }
        output.WriteLine($"{number} steps, killed at:\n{string.Join('\n', passed.Order())}");
        Assert.Empty(Steps().Select(step => step.Step).Except(passed));
    }

    /// <summary>What the life below does not come to: failures, reboots, sessions, image volumes, unpacking.</summary>
    private static readonly HashSet<string> Elsewhere =
    [
        "container.create-failed.v1", "container.lost.v1", "sandbox.lost.v1", "sandbox.run-failed.v1", "sandbox.taken.v1", "sandbox.untaken.v1",
        "snapshot.commit-refused.v1", "snapshot.commit-requested.v1", "snapshot.committed.v1", "snapshot.handed-over.v1", "snapshot.labels-changed.v1",
        "AbandonUnpacking", "AdoptSnapshot", "AwaitRetry", "CheckpointTask", "ExpireUntaken", "FindRootfs", "KillTask", "NoticeReboot",
        "OpenAttachSession", "OpenExecSession", "ReleaseImageVolumes", "RetryLater", "RetryNow", "ViewImageVolumes",
    ];

    // A step that is new must be killed at, or be told why not.
    private static IEnumerable<(ChaosPlace Place, string Step)> Steps()
    {
        var events = DomainEvents.Registered.Select(type => type.Manifest)
            .Where(manifest => EventsOfPods.Any(slice => manifest.StartsWith(slice, StringComparison.Ordinal)));
        foreach (var manifest in events.Except(Elsewhere))
            foreach (var place in new[] { ChaosPlace.Storing, ChaosPlace.Stored }) yield return (place, manifest);
        var effects = typeof(IEffect).Assembly.GetTypes()
            .Where(type => type is { IsAbstract: false, IsInterface: false } && typeof(IEffect).IsAssignableFrom(type))
            .Where(type => EffectsOfPods.Contains(type.Namespace));
        foreach (var effect in effects.Select(type => type.Name).Order(StringComparer.Ordinal).Except(Elsewhere))
            foreach (var place in new[] { ChaosPlace.Running, ChaosPlace.Ran }) yield return (place, effect);
    }

    // What the daemon itself says is there: a pod that ended leaves no record, no snapshot.
    private static async Task<IReadOnlyList<string>> InventoryAsync(DaemonFixture daemon)
    {
        var pods = await daemon.Runtime.ListPodSandboxAsync(new ListPodSandboxRequest());
        var containers = await daemon.Runtime.ListContainersAsync(new ListContainersRequest());
        var snapshots = Directory.Exists(SnapshotsOf(daemon)) ? Directory.EnumerateDirectories(SnapshotsOf(daemon)) : [];
        return
        [
            .. pods.Items.Select(pod => $"listed pod {pod.Id}"),
            .. containers.Containers.Select(container => $"listed container {container.Id}"),
            .. snapshots.Select(snapshot => $"snapshot {snapshot}"),
        ];
    }

    private static string SnapshotsOf(DaemonFixture daemon) =>
        Path.Combine(daemon.Root, "io.containerd.snapshotter.v1.overlayfs", "snapshots");

    /// <summary>A pod from its first call to its last, each repeated as the kubelet does until it is answered.</summary>
    private sealed class PodLife(DaemonFixture daemon, string name)
    {
        private bool _killed;

        public async Task<bool> RunKilledAtAsync(ChaosPlace place, string step)
        {
            await new Chaos.ChaosClient(daemon.Channel).StartAsync(new StartChaosRequest
            {
                Rule = new ChaosRule { Place = place, Step = step, Action = ChaosAction.CrashDaemon, Count = 1 },
            });
            var pod = daemon.Pod(name);
            var podId = await UntilAnsweredAsync(() => RunAsync(pod));
            var create = new CreateContainerRequest
            {
                PodSandboxId = podId,
                SandboxConfig = pod,
                Config = daemon.Shell("main", "trap 'exit 3' TERM; echo up; while :; do sleep 0.05; done"),
            };
            var containerId = await UntilAnsweredAsync(() => CreateAsync(create));
            await UntilAnsweredAsync(async () => await StartAsync(containerId));
            Assert.Equal("alive\n", (await UntilAnsweredAsync(
                () => daemon.Runtime.ExecSyncAsync(new ExecSyncRequest { ContainerId = containerId, Cmd = { "echo", "alive" }, Timeout = 10 }))).Stdout.ToStringUtf8());
            await UntilAnsweredAsync(() => daemon.Runtime.UpdateContainerResourcesAsync(new UpdateContainerResourcesRequest
            {
                ContainerId = containerId,
                Linux = new LinuxContainerResources { CpuShares = 512 },
            }));
            await UntilAnsweredAsync(() => daemon.Runtime.UpdatePodSandboxResourcesAsync(new UpdatePodSandboxResourcesRequest
            {
                PodSandboxId = podId,
                Resources = new LinuxContainerResources { CpuShares = 512 },
            }));
            await UntilAnsweredAsync(() => daemon.Runtime.ReopenContainerLogAsync(new ReopenContainerLogRequest { ContainerId = containerId }));
            await UntilAnsweredAsync(() => daemon.Runtime.StopContainerAsync(new StopContainerRequest { ContainerId = containerId, Timeout = 5 }));
            await UntilAnsweredAsync(() => daemon.Runtime.RemoveContainerAsync(new RemoveContainerRequest { ContainerId = containerId }));
            await UntilAnsweredAsync(() => daemon.Runtime.StopPodSandboxAsync(new StopPodSandboxRequest { PodSandboxId = podId }));
            await UntilAnsweredAsync(() => daemon.Runtime.RemovePodSandboxAsync(new RemovePodSandboxRequest { PodSandboxId = podId }));
            await StopRulesAsync();
            return _killed;
        }

        // The kubelet looks before it asks again: a call whose answer was lost may have been done.
        private async Task<string> RunAsync(PodSandboxConfig pod)
        {
            var ready = new PodSandboxFilter { State = new PodSandboxStateValue { State = PodSandboxState.SandboxReady } };
            var there = await daemon.Runtime.ListPodSandboxAsync(new ListPodSandboxRequest { Filter = ready });
            return there.Items.SingleOrDefault(item => item.Metadata.Uid == pod.Metadata.Uid) is { } found
                ? found.Id
                : await daemon.RunPodAsync(pod);
        }

        private async Task<string> CreateAsync(CreateContainerRequest create)
        {
            var ofPod = new ContainerFilter { PodSandboxId = create.PodSandboxId };
            var there = await daemon.Runtime.ListContainersAsync(new ListContainersRequest { Filter = ofPod });
            return there.Containers.SingleOrDefault() is { } found
                ? found.Id
                : (await daemon.Runtime.CreateContainerAsync(create)).ContainerId;
        }

        private async Task<StartContainerResponse> StartAsync(string containerId)
        {
            var status = await daemon.StatusAsync(containerId);
            if (status.State is ContainerState.ContainerRunning) return new StartContainerResponse();
            Assert.True(status.State is ContainerState.ContainerCreated, $"the container is {status.State}: {status.Reason}, {status.Message}\n{daemon.Log}");
            return await daemon.Runtime.StartContainerAsync(new StartContainerRequest { ContainerId = containerId });
        }

        private Task<T> UntilAnsweredAsync<T>(Func<AsyncUnaryCall<T>> call) => UntilAnsweredAsync(async () => await call());

        private async Task<T> UntilAnsweredAsync<T>(Func<Task<T>> call)
        {
            try
            {
                return await call().WaitAsync(CallLimit);
            }
            catch (RpcException) when (daemon.HasEnded)
            {
                _killed = true;
                await daemon.StartDaemonAsync();
                return await call().WaitAsync(CallLimit);
            }
        }

        // A rule that nothing came to must not strike the next pod.
        private async Task StopRulesAsync()
        {
            var chaos = new Chaos.ChaosClient(daemon.Channel);
            foreach (var rule in (await chaos.ReportAsync(new ReportChaosRequest())).Reports)
                await chaos.StopAsync(new StopChaosRequest { Id = rule.Id });
        }
    }
}
