using Akka.Event;
using Runtime.Ttrpc.Events;

namespace Runtime.Actors.Shims;

/// <summary>
/// Takes the events that shims forward to the daemon, and passes them on to who has subscribed to
/// <see cref="EventEnvelope"/>. They are hints: an exit is taken from the shim itself, so a lost event loses nothing.
/// </summary>
public sealed class ShimEvents(EventStream stream)
{
    /// <summary>For the ttrpc Events service.</summary>
    public Task ForwardAsync(EventEnvelope envelope, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        stream.Publish(envelope);
        return Task.CompletedTask;
    }
}
