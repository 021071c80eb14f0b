using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Runtime.Cli.Streaming;

/// <summary>
/// The streams of an Exec or Attach, over WebSocket with the subprotocol v5.channel.k8s.io: each message starts with its channel's
/// number, 0 stdin, 1 stdout, 2 stderr, 3 status, 4 size; 255 and a number ends that channel.
/// </summary>
internal sealed class RemoteStreams(string url) : IDisposable
{
    private const string Protocol = "v5.channel.k8s.io";
    private const byte Stdin = 0;
    private const byte Stdout = 1;
    private const byte Stderr = 2;
    private const byte Status = 3;
    private const byte Size = 4;
    private const byte CloseSignal = 255;

    private const nint StandardInput = 0;
    private const int ChunkBytes = 16 * 1024;

    private readonly ClientWebSocket _socket = new();
    private readonly SemaphoreSlim _sending = new(1);
    private readonly MemoryStream _status = new();

    /// <summary>Copies this program's streams until the other side ends; answers the command's exit code, 0 where there is none.</summary>
    /// <param name="terminal">This program's terminal, raw by now; null where the command has none.</param>
    public async Task<int> RunAsync(bool stdin, RawTerminal? terminal, CancellationToken cancellation)
    {
        _socket.Options.AddSubProtocol(Protocol);
        // The address came over the daemon's own socket, and its certificate may be one that it made for itself.
#pragma warning disable CA5359
        _socket.Options.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        await ConnectAsync(cancellation);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var resized = terminal is null ? null : RawTerminal.OnResize((columns, rows) => _ = SendSizeAsync(columns, rows, ended.Token));
        if (terminal is not null) await SendSizeAsync(RawTerminal.Columns, RawTerminal.Rows, ended.Token);
        // Not waited for: a read of a terminal cannot be cancelled, and ends with the program.
        if (stdin) _ = Task.Run(() => SendInputAsync(ended.Token), CancellationToken.None);
        try
        {
            await ReceiveAsync(cancellation);
        }
        finally
        {
            await ended.CancelAsync();
        }
        return ExitCode();
    }

    public void Dispose()
    {
        _socket.Dispose();
        _sending.Dispose();
        _status.Dispose();
    }

    private async Task ConnectAsync(CancellationToken cancellation)
    {
        var address = new UriBuilder(url);
        address.Scheme = address.Scheme == Uri.UriSchemeHttps ? "wss" : "ws";
        try
        {
            await _socket.ConnectAsync(address.Uri, cancellation);
        }
        catch (WebSocketException refused)
        {
            throw new CommandException($"the daemon's streaming server at {address.Host}:{address.Port} refused: {refused.Message}");
        }
    }

    private async Task SendInputAsync(CancellationToken cancellation)
    {
        try
        {
            // Not Console's: that edits lines on a terminal by itself, and changes its settings.
            await using var input = new FileStream(new SafeFileHandle(StandardInput, ownsHandle: false), FileAccess.Read, bufferSize: 0);
            var message = new byte[1 + ChunkBytes];
            message[0] = Stdin;
            while (await input.ReadAsync(message.AsMemory(1), cancellation) is > 0 and var count)
                await SendAsync(message.AsMemory(0, 1 + count), cancellation);
            await SendAsync(new[] { CloseSignal, Stdin }, cancellation);
        }
        catch (Exception end) when (end is OperationCanceledException or WebSocketException or ObjectDisposedException)
        {
            // The other side has ended first: its status tells how.
        }
    }

    private async Task SendSizeAsync(int columns, int rows, CancellationToken cancellation)
    {
        byte[] message = [Size, .. Encoding.ASCII.GetBytes($"{{\"Width\":{columns},\"Height\":{rows}}}")];
        try
        {
            await SendAsync(message, cancellation);
        }
        catch (Exception end) when (end is OperationCanceledException or WebSocketException or ObjectDisposedException)
        {
            // Of a session that has just ended.
        }
    }

    private async Task SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellation)
    {
        await _sending.WaitAsync(cancellation);
        try
        {
            await _socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, cancellation);
        }
        finally
        {
            _sending.Release();
        }
    }

    private async Task ReceiveAsync(CancellationToken cancellation)
    {
        using var output = Console.OpenStandardOutput();
        using var errors = Console.OpenStandardError();
        var buffer = new byte[ChunkBytes];
        byte? channel = null;
        while (true)
        {
            ValueWebSocketReceiveResult part;
            try
            {
                part = await _socket.ReceiveAsync(buffer.AsMemory(), cancellation);
            }
            catch (WebSocketException broken)
            {
                throw new CommandException($"the connection to the daemon broke: {broken.Message}");
            }
            if (part.MessageType == WebSocketMessageType.Close) return;
            var data = buffer.AsMemory(0, part.Count);
            if (channel is null && data.Length > 0)
            {
                channel = data.Span[0];
                data = data[1..];
            }
            switch (channel)
            {
                case Stdout: await output.WriteAsync(data, cancellation); break;
                case Stderr: await errors.WriteAsync(data, cancellation); break;
                case Status: _status.Write(data.Span); break;
                default: break; // the end of a channel, or one of a newer server
            }
            if (part.EndOfMessage) channel = null;
        }
    }

    /// <summary>metav1.Status: Success, or Failure with a cause ExitCode, or Failure with a message.</summary>
    private int ExitCode()
    {
        if (_status.Length == 0) return 0;
        using var status = JsonDocument.Parse(_status.ToArray());
        if (status.RootElement.TryGetProperty("status", out var outcome) && outcome.GetString() == "Success") return 0;
        if (status.RootElement.TryGetProperty("details", out var details) && details.TryGetProperty("causes", out var causes))
        {
            foreach (var cause in causes.EnumerateArray())
            {
                if (cause.TryGetProperty("reason", out var reason) && reason.GetString() == "ExitCode" &&
                    int.TryParse(cause.GetProperty("message").GetString(), out var code))
                    return code;
            }
        }
        throw new CommandException(status.RootElement.TryGetProperty("message", out var message) ? message.GetString() ?? "it failed" : "it failed");
    }
}
