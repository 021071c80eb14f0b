using System.Net.Sockets;
using Runtime.Faults;
using Runtime.Ttrpc.Rpc;
using Runtime.Ttrpc.Wire;

namespace Runtime.Ttrpc.Actord;

/// <summary>
/// A connection to our shim that becomes a stream of a process (<see cref="OpenStreamRequest"/>): no file has to be made for it,
/// waiting for it takes no thread, and its end tells the shim that nobody is there any more.
/// </summary>
public static class StreamConnection
{
    /// <summary>As a stream's target in Create and Exec: it is opened by OpenStream.</summary>
    public const string Target = "stream://";

    /// <summary>A listener with a full backlog refuses for a moment.</summary>
    private static readonly TimeSpan BacklogPause = TimeSpan.FromMilliseconds(10);

    /// <param name="address">Of the shim's ttrpc socket.</param>
    /// <param name="timeout">Of the whole.</param>
    /// <exception cref="FaultException">The shim's refusal; Unavailable <c>ttrpc.unreachable</c> or <c>ttrpc.closed</c>; DeadlineExceeded.</exception>
    public static async Task<Socket> OpenAsync(
        string address, OpenStreamRequest request, string space, TimeSpan timeout, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(timeout);
        var path = TtrpcClient.SocketPath(address);
        Socket? socket = null;
        try
        {
            socket = await ConnectAsync(path, limit.Token);
            await AskAsync(socket, request, space, timeout, limit.Token);
            var opened = socket;
            socket = null;
            return opened;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new FaultException(
                FaultKind.DeadlineExceeded, "ttrpc.timeout", $"{ShimClient.Service}/OpenStream did not answer within {timeout}.");
        }
        catch (Exception broken) when (broken is IOException or SocketException)
        {
            throw new FaultException(
                FaultKind.Unavailable, "ttrpc.closed", $"The connection to {path} is closed: {broken.Message}", broken);
        }
        finally
        {
            socket?.Dispose();
        }
    }

    private static async Task<Socket> ConnectAsync(string path, CancellationToken cancellation)
    {
        while (true)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
                return socket;
            }
            catch (SocketException full) when (full.SocketErrorCode is SocketError.WouldBlock or SocketError.TryAgain)
            {
                socket.Dispose();
                await Task.Delay(BacklogPause, cancellation);
            }
            catch (SocketException cause)
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
    }

    private static async Task AskAsync(
        Socket socket, OpenStreamRequest request, string space, TimeSpan timeout, CancellationToken cancellation)
    {
        using var frame = new WireWriter();
        RpcRequest.WriteFrame(frame, 1, ShimClient.Service, "OpenStream", request, timeout, space);
        await using var stream = new NetworkStream(socket, ownsSocket: false);
        await stream.WriteAsync(frame.WrittenMemory, cancellation);
        var bytes = new byte[FrameHeader.Bytes];
        await stream.ReadExactlyAsync(bytes, cancellation);
        var header = FrameHeader.Read(bytes);
        if (header.Length is < 0 or > FrameHeader.MaxPayload || header.Type != FrameType.Response)
            throw new FaultException(FaultKind.Internal, "ttrpc.bad-frame", "OpenStream was not answered with a response.");
        var payload = new byte[header.Length];
        await stream.ReadExactlyAsync(payload, cancellation);
        ThrowIfRefused(payload);
    }

    private static void ThrowIfRefused(ReadOnlySpan<byte> payload)
    {
        var response = RpcResponse.Read(new WireReader(payload));
        if (response.Code != StatusCode.Ok)
            throw new FaultException(StatusCode.KindOf(response.Code), "ttrpc.status", response.Message);
    }
}
