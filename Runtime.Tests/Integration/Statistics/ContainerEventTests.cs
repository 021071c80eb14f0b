using Grpc.Core;
using Runtime.Cri.V1;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Statistics;

/// <summary>GetContainerEvents over a pod's whole life, and the metrics of that pod.</summary>
[Collection(KernelCollection.Name)]
public sealed class ContainerEventTests
{
    [Fact]
    public async Task Every_step_of_a_pod_and_its_container_is_told_to_every_subscriber_with_the_pods_status()
    {
        await using var daemon = await DaemonFixture.StartAsync();
        using var one = daemon.Runtime.GetContainerEvents(new GetEventsRequest(), cancellationToken: TestContext.Current.CancellationToken);
        using var other = daemon.Runtime.GetContainerEvents(new GetEventsRequest(), cancellationToken: TestContext.Current.CancellationToken);
        await one.ResponseHeadersAsync;
        await other.ResponseHeadersAsync;

        var pod = daemon.Pod("told");
        var podId = await daemon.RunPodAsync(pod);
        var id = await daemon.RunAsync(podId, pod, daemon.Shell("main", "exit 3"));
        await daemon.ExitedAsync(id);
        var status = await daemon.Runtime.PodSandboxStatusAsync(new PodSandboxStatusRequest { PodSandboxId = podId });
        var metrics = await daemon.Runtime.ListPodSandboxMetricsAsync(new ListPodSandboxMetricsRequest());
        var descriptors = (await daemon.Runtime.ListMetricDescriptorsAsync(new ListMetricDescriptorsRequest())).Descriptors;
        await daemon.StopAndRemoveAsync(podId);

        (string, ContainerEventType)[] expected =
        [
            (podId, ContainerEventType.ContainerCreatedEvent), (podId, ContainerEventType.ContainerStartedEvent),
            (id, ContainerEventType.ContainerCreatedEvent), (id, ContainerEventType.ContainerStartedEvent),
            (id, ContainerEventType.ContainerStoppedEvent), (podId, ContainerEventType.ContainerStoppedEvent),
            (id, ContainerEventType.ContainerDeletedEvent), (podId, ContainerEventType.ContainerDeletedEvent),
        ];
        foreach (var stream in new[] { one, other })
        {
            var events = await TakeAsync(stream.ResponseStream, expected.Length);
            Assert.Equal(expected, events.Select(each => (each.ContainerId, each.ContainerEventType)));
            Assert.All(events, each => Assert.Equal("told", each.PodSandboxStatus.Metadata.Name));
            var stopped = Assert.Single(events[4].ContainersStatuses);
            Assert.Equal((id, ContainerState.ContainerExited, 3), (stopped.Id, stopped.State, stopped.ExitCode));
            Assert.Empty(events[7].ContainersStatuses);
            Assert.True(status.Timestamp >= events[4].CreatedAt);
        }
        Assert.Equal(id, Assert.Single(status.ContainersStatuses).Id);

        var keys = descriptors.ToDictionary(each => each.Name, each => each.LabelKeys.Count);
        var all = Assert.Single(metrics.PodMetrics).Metrics.Concat(metrics.PodMetrics[0].ContainerMetrics.SelectMany(each => each.Metrics)).ToArray();
        Assert.Contains(all, each => each.Name == "container_network_receive_bytes_total");
        Assert.Contains(all, each => each.Name == "container_cpu_usage_seconds_total");
        Assert.All(all, each => Assert.Equal(keys[each.Name], each.LabelValues.Count));
    }

    [Fact]
    public async Task Of_a_pod_that_did_not_start_nothing_is_told()
    {
        await using var daemon = await DaemonFixture.StartAsync(
            fixture => File.WriteAllText(Path.Combine(fixture.CniDirectory, "05-broken.conflist"),
                """{ "cniVersion": "1.0.0", "name": "broken", "plugins": [{ "type": "no-such-plugin" }] }"""),
            withImage: false);
        using var events = daemon.Runtime.GetContainerEvents(new GetEventsRequest(), cancellationToken: TestContext.Current.CancellationToken);
        await events.ResponseHeadersAsync;

        await Assert.ThrowsAsync<RpcException>(async () => await daemon.RunPodAsync(daemon.Pod("broken")));
        var pod = daemon.Pod("good");
        pod.Linux.SecurityContext.NamespaceOptions.Network = NamespaceMode.Node;
        var podId = await daemon.RunPodAsync(pod);

        Assert.All(await TakeAsync(events.ResponseStream, 2), each => Assert.Equal(podId, each.ContainerId));
    }

    private static async Task<List<ContainerEventResponse>> TakeAsync(IAsyncStreamReader<ContainerEventResponse> stream, int count)
    {
        var events = new List<ContainerEventResponse>();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (events.Count < count && await stream.MoveNext(limit.Token)) events.Add(stream.Current);
        return events;
    }
}
