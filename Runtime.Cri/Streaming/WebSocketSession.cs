using System.Buffers.Binary;
using System.Net.WebSockets;

namespace Runtime.Cri.Streaming;

/// <summary>Serves what a ticket stands for on a WebSocket.</summary>
internal static class WebSocketSession
{
    private const byte StdinChannel = 0;
    private const byte StdoutChannel = 1;
    private const byte StderrChannel = 2;
    private const byte ErrorChannel = 3;
    private const byte ResizeChannel = 4;

    /// <summary>For a client to take what is on its way and close the connection.</summary>
    private static readonly TimeSpan CloseMax = TimeSpan.FromSeconds(10);

    /// <summary>An exec or attach.</summary>
    public static Task RunAsync(
        CommandTicket ticket, RemoteProtocol protocol, WebSocket socket, IdleWatch idle, TimeProvider clock, CancellationToken gone) =>
        RunAsync(new WebSocketChannels(socket, protocol, idle), clock, async (channels, over) =>
        {
            var streams = new CommandStreams(
                channels.Open(ErrorChannel, readable: false),
                ticket.Stdin ? channels.Open(StdinChannel, readable: true) : null,
                ticket.Stdout ? channels.Open(StdoutChannel, readable: false) : null,
                ticket.Stderr ? channels.Open(StderrChannel, readable: false) : null,
                ticket.Terminal ? Task.FromResult<ClientStream>(channels.Open(ResizeChannel, readable: true)) : null);
            var ready = new RemoteCommand(ticket, protocol, streams);
            // An empty message tells the client that it is connected before there is any output.
            await (streams.Stdout ?? streams.Stderr ?? streams.Error).WriteAsync(default, over);
            return () => ready.RunAsync(over);
        }, gone);

    /// <summary>A port-forward with a pair of channels for each port of the request. Each begins with its port, little-endian.</summary>
    public static Task ForwardAsync(
        ForwardTicket ticket, RemoteProtocol protocol, WebSocket socket, IdleWatch idle, TimeProvider clock, CancellationToken gone) =>
        RunAsync(new WebSocketChannels(socket, protocol, idle), clock, async (channels, over) =>
        {
            var pairs = ticket.Ports.Select((port, i) => (
                Port: port,
                Data: channels.Open((byte)(2 * i), readable: true),
                Error: channels.Open((byte)((2 * i) + 1), readable: false))).ToArray();
            foreach (var (port, data, error) in pairs)
            {
                var name = new byte[sizeof(ushort)];
                BinaryPrimitives.WriteUInt16LittleEndian(name, (ushort)port);
                await data.WriteAsync(name, over);
                await error.WriteAsync(name, over);
            }
            return () => Task.WhenAll(pairs.Select(pair => PortForward.RunAsync(ticket, pair.Port, pair.Data, pair.Error, over)));
        }, gone);

    // 1. channels are declared, 2. the client is read, 3. the work is done, 4. both sides say good-bye.
    private static async Task RunAsync(
        WebSocketChannels channels, TimeProvider clock,
        Func<WebSocketChannels, CancellationToken, Task<Func<Task>>> prepare, CancellationToken gone)
    {
        using (channels)
        using (var over = CancellationTokenSource.CreateLinkedTokenSource(gone))
        {
            var work = await prepare(channels, over.Token);
            var reading = ReadAsync(channels, over);
            try
            {
                await work();
                await channels.CloseAsync(WebSocketCloseStatus.NormalClosure, over.Token);
                await reading.WaitAsync(CloseMax, clock, over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (over.IsCancellationRequested)
            {
                // The client has gone.
            }
            finally
            {
                await over.CancelAsync();
                await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            if (reading.IsFaulted) await reading;
        }
    }

    // With the connection, all that runs on it ends.
    private static async Task ReadAsync(WebSocketChannels channels, CancellationTokenSource over)
    {
        try
        {
            await channels.ReadAsync(over.Token);
        }
        finally
        {
            await over.CancelAsync();
        }
    }
}
