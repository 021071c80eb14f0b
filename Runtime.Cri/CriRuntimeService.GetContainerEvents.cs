using Grpc.Core;
using Runtime.Api.Edge;
using Runtime.Cri.V1;

namespace Runtime.Cri;

public sealed partial class CriRuntimeService
{
    /// <summary>
    /// Events from now on. A subscriber that does not keep up is ended with ResourceExhausted (<c>events.too-slow</c>): it has to
    /// list before it subscribes again.
    /// </summary>
    public override async Task GetContainerEvents(
        GetEventsRequest request, IServerStreamWriter<ContainerEventResponse> responseStream, ServerCallContext context)
    {
        using var ending = StreamEnd.Of(context, lifetime);
        using var subscription = domain.Changes.Subscribe(_pods.Of);
        // The headers tell the client that the subscription is in place: what happens from here on, it will see.
        await context.WriteResponseHeadersAsync([]);
        await ending.GuardAsync(async () =>
        {
            await foreach (var change in subscription.ReadAsync(ending.Token))
                await responseStream.WriteAsync(_pods.ToWire(change), ending.Token);
        });
    }
}
