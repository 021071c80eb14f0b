using System.Buffers;
using System.Collections.Concurrent;
using System.Net.Sockets;
using Runtime.Faults;
using Runtime.Ttrpc.Wire;

namespace Runtime.Ttrpc.Rpc;

/// <summary>Serves one ttrpc service to many connections: the daemon's side, on <c>GRPC-ADDRESS.ttrpc</c>.</summary>
/// <remarks>
/// Calls of one connection run one after another in the order they came in: what shims forward are events, whose order is
/// their meaning. Connections do not wait for each other.
/// </remarks>
public sealed class TtrpcListener : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly ITtrpcService _service;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<Task, byte> _connections = new();
    private readonly Task _accepting;

    /// <param name="listener">Bound and listening; owned from here on.</param>
    public TtrpcListener(Socket listener, ITtrpcService service)
    {
        (_listener, _service) = (listener, service);
        _accepting = Task.Run(AcceptAsync);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Dispose();
        await _accepting;
        await Task.WhenAll(_connections.Keys);
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var connection = ServeAsync(await _listener.AcceptAsync(_stopping.Token));
                _connections.TryAdd(connection, 0);
                _ = connection.ContinueWith(done => _connections.TryRemove(done, out _), TaskScheduler.Default);
            }
        }
        catch (Exception end) when (end is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // Disposed: nothing more to accept.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        await using var stream = new NetworkStream(socket, ownsSocket: true);
        using var reply = new WireWriter();
        var header = new byte[FrameHeader.Bytes];
        try
        {
            while (true)
            {
                await stream.ReadExactlyAsync(header, _stopping.Token);
                var frame = FrameHeader.Read(header);
                reply.Clear();
                if (frame.Length is < 0 or > FrameHeader.MaxPayload)
                {
                    await SkipAsync(stream, (uint)frame.Length);
                    RpcResponse.WriteFrame(reply, frame.Stream, TooBig(frame));
                }
                else
                {
                    var payload = ArrayPool<byte>.Shared.Rent(Math.Max(1, frame.Length));
                    try
                    {
                        await stream.ReadExactlyAsync(payload.AsMemory(0, frame.Length), _stopping.Token);
                        await AnswerAsync(frame, payload.AsMemory(0, frame.Length), reply);
                    }
                    finally
                    {
                        ArrayPool<byte>.Shared.Return(payload);
                    }
                }
                await stream.WriteAsync(reply.WrittenMemory, _stopping.Token);
            }
        }
        catch (Exception end) when (end is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The peer went away, or we stop: both end the connection and nothing else.
        }
    }

    private async Task AnswerAsync(FrameHeader frame, ReadOnlyMemory<byte> payload, WireWriter reply)
    {
        try
        {
            if (frame.Type != FrameType.Request || frame.Stream % 2 == 0)
                throw new FaultException(FaultKind.InvalidArgument, "ttrpc.bad-frame", "Only requests on odd streams are understood.");
            var (service, method, body) = Parts(payload);
            RpcResponse.WriteFrame(reply, frame.Stream, new WireRaw(await _service.CallAsync(service, method, body, _stopping.Token)));
        }
        catch (FaultException refused)
        {
            RpcResponse.WriteFrame(reply, frame.Stream, refused.Fault);
        }
    }

    private static (string Service, string Method, ReadOnlyMemory<byte> Payload) Parts(ReadOnlyMemory<byte> payload)
    {
        var request = RpcRequest.Read(new WireReader(payload.Span));
        return (System.Text.Encoding.UTF8.GetString(request.Service), System.Text.Encoding.UTF8.GetString(request.Method),
            request.Payload.ToArray());
    }

    private async Task SkipAsync(Stream stream, uint count)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        try
        {
            for (long left = count; left > 0;)
            {
                var read = await stream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(left, buffer.Length)), _stopping.Token);
                left = read > 0 ? left - read : throw new EndOfStreamException();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static RuntimeFault TooBig(FrameHeader frame) => new(
        FaultKind.ResourceExhausted, "ttrpc.too-big",
        $"The request has {(uint)frame.Length} bytes; {FrameHeader.MaxPayload} are allowed.");
}

/// <summary>What a <see cref="TtrpcListener"/> serves.</summary>
public interface ITtrpcService
{
    /// <summary>Answers the serialized response.</summary>
    /// <exception cref="FaultException">Becomes the status; Unimplemented for a service or method that is not known.</exception>
    Task<ReadOnlyMemory<byte>> CallAsync(
        string service, string method, ReadOnlyMemory<byte> payload, CancellationToken cancellation);
}
