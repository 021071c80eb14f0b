using Containerd.Services.Streaming.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Runtime.Api.Edge;
using Runtime.Api.Streams;
using Runtime.Faults;

namespace Runtime.Api.Services;

/// <summary>containerd.services.streaming.v1: streams that transfers refer to by an id.</summary>
public sealed class StreamingService(StreamRegistry streams, IHostApplicationLifetime lifetime) : Streaming.StreamingBase
{
    public override async Task Stream(IAsyncStreamReader<Any> requestStream, IServerStreamWriter<Any> responseStream, ServerCallContext context)
    {
        var space = NamespaceHeader.Of(context);
        if (!await requestStream.MoveNext(context.CancellationToken) || !requestStream.Current.Holds(StreamInit.Parser, out var init)
            || init.Id.Length == 0)
            throw new FaultException(FaultKind.InvalidArgument, "stream.no-id", "A stream begins with a StreamInit that says its id.");
        using var ending = StreamEnd.Of(context, lifetime);
        using var stream = new ClientStream(requestStream, responseStream, ending.Token);
        streams.Add(space, init.Id, stream);
        try
        {
            // Registered before the client hears so: its next call may be the one that needs it.
            await stream.WriteAsync(new Empty(), ending.Token);
            await ending.GuardAsync(() => stream.Closed.WaitAsync(ending.Token));
        }
        finally
        {
            streams.Remove(space, init.Id);
        }
    }
}
