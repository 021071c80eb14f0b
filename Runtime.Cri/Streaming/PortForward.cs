using System.Net.Sockets;
using System.Text;
using Runtime.Faults;

namespace Runtime.Cri.Streaming;

/// <summary>One connection that is carried into a pod: a stream of data, and one that says what went wrong.</summary>
internal static class PortForward
{
    /// <summary>
    /// Dials, moves bytes both ways, and ends both streams. A failure ends these two and nothing else. Only a port that cannot
    /// be dialled is told in words: a client takes any word for the end of all its connections.
    /// </summary>
    public static async Task RunAsync(
        ForwardTicket ticket, int port, ClientStream data, ClientStream error, CancellationToken gone)
    {
        // The client has nothing to say on it.
        await error.Input.CompleteAsync();
        try
        {
            using var socket = await ticket.Dial(port, gone);
            if (!await MoveAsync(socket, data, gone)) await data.ResetAsync(gone);
        }
        catch (FaultException refused)
        {
            await data.Input.CompleteAsync();
            await error.WriteAsync(Encoding.UTF8.GetBytes(refused.Fault.Message), gone);
            await data.FinishAsync(gone);
        }
        await error.FinishAsync(gone);
    }

    /// <returns>False when either side broke off.</returns>
    private static async Task<bool> MoveAsync(Socket socket, ClientStream data, CancellationToken gone)
    {
        await using var stream = new NetworkStream(socket, ownsSocket: false);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(gone);
        var up = UpAsync(socket, stream, data, over);
        var down = StreamPump.ToClientAsync(stream, data, over.Token, over.Token);
        try
        {
            await down;
            await up;
            return true;
        }
        catch (Exception end) when (end is IOException or OperationCanceledException && !gone.IsCancellationRequested)
        {
            return false;
        }
        finally
        {
            await over.CancelAsync();
            await Task.WhenAll(up, down).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task UpAsync(Socket socket, Stream stream, ClientStream data, CancellationTokenSource over)
    {
        try
        {
            await StreamPump.FromClientAsync(data, stream, over.Token);
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (ClientStreamResetException)
        {
            // Nobody wants the answer any more.
            await over.CancelAsync();
            throw;
        }
        catch (SocketException)
        {
            // Closed on both sides by now: there is nothing left to shut.
        }
    }
}
