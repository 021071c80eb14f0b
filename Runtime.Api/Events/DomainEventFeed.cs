using Containerd.Types;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Hosting;
using Runtime.Actors;
using Runtime.Actors.Entities;

namespace Runtime.Api.Events;

/// <summary>
/// Passes what entities store to those who have subscribed to containerd's events, before the entities answer: who has a reply can
/// count on the event having been sent.
/// </summary>
public sealed class DomainEventFeed(RuntimeDomain domain, EventHub hub, DomainEvents events) : IHostedService
{
    private IDisposable? _listening;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _listening = domain.Changes.Listen(Publish);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _listening?.Dispose();
        return Task.CompletedTask;
    }

    private void Publish(EntityChange change)
    {
        foreach (var (topic, payload) in events.Of(change))
        {
            hub.Publish(new Envelope
            {
                Timestamp = Timestamp.FromDateTimeOffset(change.At),
                Namespace = change.Space.Value,
                Topic = topic,
                // The bare name, without a host: what Go's typeurl looks a message up by.
                Event = new Any { TypeUrl = payload.Descriptor.FullName, Value = payload.ToByteString() },
            });
        }
    }
}
