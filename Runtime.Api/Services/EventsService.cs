using Containerd.Services.Events.V1;
using Containerd.Types;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Runtime.Api.Edge;
using Runtime.Api.Events;
using Runtime.Api.Filters;

namespace Runtime.Api.Services;

/// <summary>containerd.services.events.v1: events of every namespace, from now on.</summary>
public sealed class EventsService(EventHub hub, TimeProvider clock, IHostApplicationLifetime lifetime)
    : Containerd.Services.Events.V1.Events.EventsBase
{
    public override Task<Empty> Publish(PublishRequest request, ServerCallContext context)
    {
        var space = NamespaceHeader.Of(context);
        EventTopic.Check(request.Topic);
        hub.Publish(new Envelope
        {
            Timestamp = Timestamp.FromDateTimeOffset(clock.GetUtcNow()),
            Namespace = space.Value,
            Topic = request.Topic,
            Event = request.Event,
        });
        return Task.FromResult(new Empty());
    }

    public override Task<Empty> Forward(ForwardRequest request, ServerCallContext context)
    {
        EventTopic.Check(request.Envelope);
        hub.Publish(request.Envelope);
        return Task.FromResult(new Empty());
    }

    public override async Task Subscribe(
        SubscribeRequest request, IServerStreamWriter<Envelope> responseStream, ServerCallContext context)
    {
        var filters = FilterList.Parse(request.Filters);
        using var ending = StreamEnd.Of(context, lifetime);
        using var subscription = hub.Subscribe();
        // The headers tell the client that the subscription is in place: what it does from here on, it will see.
        await context.WriteResponseHeadersAsync([]);
        await ending.GuardAsync(async () =>
        {
            await foreach (var envelope in subscription.ReadAsync(ending.Token))
                if (filters.Matches(path => Field(envelope, path)))
                    await responseStream.WriteAsync(envelope, ending.Token);
        });
    }

    private static string? Field(Envelope envelope, ReadOnlySpan<string> path) => path switch
    {
        ["namespace"] => FieldPaths.Value(envelope.Namespace),
        ["topic"] => FieldPaths.Value(envelope.Topic),
        _ => null,
    };
}
