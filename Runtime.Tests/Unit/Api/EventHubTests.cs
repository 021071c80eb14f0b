using Containerd.Services.Events.V1;
using Containerd.Types;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Runtime.Api.Edge;
using Runtime.Api.Events;
using Runtime.Faults;
using Runtime.Tests.Support;
using Runtime.Tests.Unit.Cri;
using Runtime.Ttrpc.Events;
using Runtime.Ttrpc.Wire;
using Xunit;

namespace Runtime.Tests.Unit.Api;

public sealed class EventHubTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_subscriber_that_falls_behind_is_let_go_and_nobody_else_waits()
    {
        var hub = new EventHub();
        using var slow = hub.Subscribe();
        using var late = hub.Subscribe();
        for (var i = 0; i <= EventHub.BacklogMax; i++) hub.Publish(new Envelope { Topic = "/a" });

        var read = 0;
        var end = await Assert.ThrowsAsync<FaultException>(async () =>
        {
            await foreach (var _ in slow.ReadAsync(Cancellation)) read++;
        });

        Assert.Equal(EventHub.BacklogMax, read);
        Assert.Equal(FaultKind.ResourceExhausted, end.Fault.Kind);
    }

    [Theory]
    [InlineData("/tasks/exit", true)]
    [InlineData("tasks/exit", false)]
    [InlineData("/tasks/", false)]
    [InlineData("", false)]
    public async Task A_shims_event_is_passed_on_when_its_topic_is_one(string topic, bool isPassed)
    {
        var hub = new EventHub();
        using var subscription = hub.Subscribe();
        var forwarded = new EventEnvelope
        {
            Namespace = "k8s.io",
            Topic = topic,
            Timestamp = DateTimeOffset.UnixEpoch.AddSeconds(1),
            Event = new WireAny("containerd.events.TaskExit", new byte[] { 1, 2 }),
        };

        if (!isPassed)
        {
            Assert.Equal(FaultKind.InvalidArgument, Assert.Throws<FaultException>(() => hub.Publish(forwarded)).Fault.Kind);
            return;
        }
        hub.Publish(forwarded);
        await foreach (var envelope in subscription.ReadAsync(Cancellation))
        {
            Assert.Equal(("containerd.events.TaskExit", topic), (envelope.Event.TypeUrl, envelope.Topic));
            break;
        }
    }

    [Fact]
    public async Task What_is_published_reaches_the_subscribers_whose_filter_matches()
    {
        await using var script = new ScriptedDomain();
        await using var server = await GrpcServer.StartAsync(script.Domain);
        var client = new Containerd.Services.Events.V1.Events.EventsClient(server.Channel);
        using var subscription = client.Subscribe(
            new SubscribeRequest { Filters = { "namespace==moby,topic~=|^/tasks/|" } }, cancellationToken: Cancellation);
        await subscription.ResponseHeadersAsync;

        foreach (var (space, topic) in new[] { ("k8s.io", "/tasks/exit"), ("moby", "/images/create"), ("moby", "/tasks/exit") })
        {
            await client.PublishAsync(
                new PublishRequest { Topic = topic, Event = new Any { TypeUrl = "x" } },
                new Metadata { { NamespaceHeader.Name, space } }, cancellationToken: Cancellation);
        }

        Assert.True(await subscription.ResponseStream.MoveNext(Cancellation));
        Assert.Equal(("moby", "/tasks/exit"), (subscription.ResponseStream.Current.Namespace, subscription.ResponseStream.Current.Topic));
    }

    [Fact]
    public async Task Stopping_the_daemon_ends_a_subscription_as_unavailable()
    {
        await using var script = new ScriptedDomain();
        var server = await GrpcServer.StartAsync(script.Domain);
        var client = new Containerd.Services.Events.V1.Events.EventsClient(server.Channel);
        using var subscription = client.Subscribe(new SubscribeRequest(), cancellationToken: Cancellation);
        await subscription.ResponseHeadersAsync;

        var stopping = server.StopAsync();

        var end = await Assert.ThrowsAsync<RpcException>(() => subscription.ResponseStream.MoveNext(Cancellation));
        Assert.Equal(StatusCode.Unavailable, end.StatusCode);
        await stopping;
        await server.DisposeAsync();
    }
}
