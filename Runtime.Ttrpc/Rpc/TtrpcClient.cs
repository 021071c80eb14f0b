using System.Buffers;
using System.Collections.Concurrent;
using System.Net.Sockets;
using Runtime.Faults;
using Runtime.Ttrpc.Wire;

namespace Runtime.Ttrpc.Rpc;

/// <summary>
/// One ttrpc connection with many calls in flight. When it breaks, every pending and later call fails with Unavailable
/// (<c>ttrpc.closed</c>); the caller connects again.
/// </summary>
public sealed class TtrpcClient : IAsyncDisposable
{
    private readonly Socket _socket;
    private readonly NetworkStream _stream;
    private readonly string _address;
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly ConcurrentDictionary<uint, PendingCall> _pending = new();
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly WireWriter _frame = new();
    private readonly Task _receiving;
    private uint _nextStream = 1;
    private int _isDisposed;

    private TtrpcClient(Socket socket, string address)
    {
        (_socket, _address) = (socket, address);
        _stream = new NetworkStream(socket, ownsSocket: true);
        _receiving = Task.Run(ReceiveAsync);
    }

    /// <summary>Completes, without a failure, when the connection is gone.</summary>
    public Task Closed => _closed.Task;

    public bool IsClosed => _closed.Task.IsCompleted;

    /// <param name="address">A socket's path, with or without <c>unix://</c>.</param>
    /// <exception cref="FaultException">Unavailable, <c>ttrpc.unreachable</c>: nobody listens there.</exception>
    public static async Task<TtrpcClient> ConnectAsync(string address, CancellationToken cancellation)
    {
        var path = SocketPath(address);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
            return new(socket, path);
        }
        catch (Exception cause) when (cause is SocketException or ArgumentException)
        {
            socket.Dispose();
            throw new FaultException(
                FaultKind.Unavailable, "ttrpc.unreachable", $"Nobody answers on the socket {path}: {cause.Message}", cause);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The path of an address as shims report it: <c>unix:///run/...</c>, or bare.</summary>
    public static string SocketPath(string address)
    {
        const string Scheme = "unix://";
        return address.StartsWith(Scheme, StringComparison.Ordinal) ? address[Scheme.Length..] : address;
    }

    /// <param name="space">containerd's namespace, sent as metadata; null for none.</param>
    /// <param name="timeout">Enforced here and told to the server; null for none.</param>
    /// <exception cref="FaultException">The server's status; Unavailable <c>ttrpc.closed</c>; DeadlineExceeded.</exception>
    public async Task<TResponse> CallAsync<TRequest, TResponse>(
        string service, string method, TRequest request, string? space, TimeSpan? timeout, CancellationToken cancellation)
        where TRequest : IWireMessage<TRequest>
        where TResponse : IWireMessage<TResponse>
    {
        var call = new PendingCall<TResponse>(service, method);
        var stream = await SendAsync(call, service, method, request, space, timeout, cancellation);
        try
        {
            return timeout is { } limit
                ? await call.Reply.WaitAsync(limit, cancellation)
                : await call.Reply.WaitAsync(cancellation);
        }
        catch (TimeoutException late)
        {
            throw new FaultException(
                FaultKind.DeadlineExceeded, "ttrpc.timeout", $"{service}/{method} did not answer within {timeout}.", late);
        }
        finally
        {
            _pending.TryRemove(stream, out _);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 1)
            return;
        await _stream.DisposeAsync();
        await _receiving;
        // A call that is being sent has its last look at the frame; a later one finds the connection closed.
        await _sending.WaitAsync();
        _frame.Dispose();
        _sending.Release();
    }

    /// <summary>Stream numbers must reach the server in rising order: number and write share one lock.</summary>
    private async Task<uint> SendAsync<TRequest>(
        PendingCall call, string service, string method, TRequest request, string? space, TimeSpan? timeout,
        CancellationToken cancellation)
        where TRequest : IWireMessage<TRequest>
    {
        if (IsClosed)
            throw Gone().ToException();
        await _sending.WaitAsync(cancellation);
        var stream = _nextStream;
        try
        {
            if (_isDisposed == 1)
                throw Gone().ToException();
            _frame.Clear();
            RpcRequest.WriteFrame(_frame, stream, service, method, request, timeout, space);
            if (_frame.Length - FrameHeader.Bytes > FrameHeader.MaxPayload)
                throw new FaultException(
                    FaultKind.ResourceExhausted, "ttrpc.too-big",
                    $"The request of {service}/{method} has {_frame.Length} bytes; {FrameHeader.MaxPayload} are allowed.");
            _nextStream += 2;
            _pending[stream] = call;
            // A frame half sent would end the connection for all: so the caller's cancellation does not reach the write.
            await _stream.WriteAsync(_frame.WrittenMemory, CancellationToken.None);
        }
        catch (Exception broken) when (broken is IOException or ObjectDisposedException)
        {
            _pending.TryRemove(stream, out _);
            throw Gone().ToException(broken);
        }
        finally
        {
            _sending.Release();
        }
        if (IsClosed)
            call.Fail(Gone());
        return stream;
    }

    private async Task ReceiveAsync()
    {
        var header = new byte[FrameHeader.Bytes];
        try
        {
            while (true)
            {
                await _stream.ReadExactlyAsync(header);
                var frame = FrameHeader.Read(header);
                if (frame.Length is < 0 or > FrameHeader.MaxPayload)
                    throw new InvalidDataException($"a frame of {(uint)frame.Length} bytes");
                var payload = ArrayPool<byte>.Shared.Rent(Math.Max(1, frame.Length));
                try
                {
                    await _stream.ReadExactlyAsync(payload.AsMemory(0, frame.Length));
                    if (_pending.TryRemove(frame.Stream, out var call))
                        call.Receive(frame.Type, payload.AsSpan(0, frame.Length));
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(payload);
                }
            }
        }
        // The connection's end, in each form: every pending call says so to its caller.
        catch (Exception end) when (end is IOException or ObjectDisposedException or InvalidDataException or SocketException)
        {
            _closed.TrySetResult();
            await _stream.DisposeAsync();
            foreach (var stream in _pending.Keys)
            {
                if (_pending.TryRemove(stream, out var call))
                    call.Fail(Gone());
            }
        }
    }

    private RuntimeFault Gone() => new(FaultKind.Unavailable, "ttrpc.closed", $"The connection to {_address} is closed.");

    private abstract class PendingCall
    {
        public abstract void Receive(FrameType type, ReadOnlySpan<byte> payload);

        public abstract void Fail(RuntimeFault fault);
    }

    private sealed class PendingCall<T>(string service, string method) : PendingCall
        where T : IWireMessage<T>
    {
        private readonly TaskCompletionSource<T> _reply = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<T> Reply => _reply.Task;

        public override void Receive(FrameType type, ReadOnlySpan<byte> payload)
        {
            try
            {
                if (type != FrameType.Response)
                {
                    Fail(new(FaultKind.Internal, "ttrpc.bad-frame", $"{service}/{method} was answered with a frame of type {type}."));
                    return;
                }
                var response = RpcResponse.Read(new WireReader(payload));
                if (response.Code == StatusCode.Ok)
                    _reply.TrySetResult(T.Read(new WireReader(response.Payload)));
                else
                    Fail(new(StatusCode.KindOf(response.Code), "ttrpc.status", response.Message));
            }
            catch (FaultException malformed)
            {
                Fail(malformed.Fault);
            }
        }

        public override void Fail(RuntimeFault fault)
        {
            _reply.TrySetException(fault.ToException());
            // Nobody may be waiting any more: a failure that is not looked at is no defect.
            _ = _reply.Task.Exception;
        }
    }
}
