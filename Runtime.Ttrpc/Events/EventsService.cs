using Runtime.Faults;
using Runtime.Ttrpc.Rpc;
using Runtime.Ttrpc.Wire;

namespace Runtime.Ttrpc.Events;

/// <summary>The daemon's side of <c>containerd.services.events.ttrpc.v1.Events</c>: shims forward their events to it.</summary>
/// <param name="forward">Called for one event after another of each shim; the shim's call is answered when it is done.</param>
public sealed class EventsService(Func<EventEnvelope, CancellationToken, Task> forward) : ITtrpcService
{
    public const string Service = "containerd.services.events.ttrpc.v1.Events";

    public async Task<ReadOnlyMemory<byte>> CallAsync(
        string service, string method, ReadOnlyMemory<byte> payload, CancellationToken cancellation)
    {
        if (service != Service || method != "Forward")
            throw new FaultException(FaultKind.Unimplemented, "ttrpc.unknown-method", $"There is no {service}/{method} here.");
        var envelope = ForwardRequest.Read(new WireReader(payload.Span)).Envelope
            ?? throw new FaultException(FaultKind.InvalidArgument, "event.no-envelope", "The forwarded event has no envelope.");
        await forward(envelope, cancellation);
        return default;
    }
}
