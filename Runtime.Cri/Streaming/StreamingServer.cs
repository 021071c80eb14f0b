using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Runtime.Faults;

namespace Runtime.Cri.Streaming;

/// <summary>
/// The HTTP/1.1 server behind the URLs that Exec, Attach and PortForward answer. A request with a token is upgraded to SPDY/3.1
/// or WebSocket, and lives as long as what it carries.
/// </summary>
public sealed partial class StreamingServer(StreamingOptions options, TimeProvider clock, ILoggerFactory logging)
    : IHostedService, IAsyncDisposable
{
    /// <summary>Sessions at once, each with a few descriptors; who comes then is told to come again.</summary>
    private const int SessionsMax = 10_000;

    /// <summary>What one client can make Kestrel hold of its input, above the largest request head.</summary>
    private const int RequestBufferBytes = 64 * 1024;

    private const string SpdyUpgrade = "SPDY/3.1";
    private const string SpdyVersionHeader = "X-Stream-Protocol-Version";
    private const string SpdyAcceptedHeader = "X-Accepted-Stream-Protocol-Versions";

    /// <summary>Unasked pongs: clients close a connection that is silent for a minute, also while their input waits to be read.</summary>
    private static readonly TimeSpan PongInterval = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan StopMax = TimeSpan.FromSeconds(5);

    private readonly StreamTokens _tokens = new(clock);
    private readonly CancellationTokenSource _stopping = new();
    private readonly ILogger _log = logging.CreateLogger("streaming");
    private WebApplication? _app;
    private int _sessions;

    /// <summary>Sessions that are being served.</summary>
    public int Sessions => Volatile.Read(ref _sessions);

    /// <summary><c>http://127.0.0.1:41234</c>: what URLs begin with.</summary>
    public string BaseAddress { get; private set; } = "";

    /// <exception cref="FaultException">The address cannot be listened on, or the certificate not be used.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var address = IPAddress.Parse(options.Address);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(logging);
        builder.Services.AddLogging();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBufferSize = RequestBufferBytes;
            kestrel.Limits.MaxRequestBodySize = 0;
            // A stream may be silent, and its reader slow, for as long as the idle timeout says.
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.MaxConcurrentConnections = SessionsMax;
            kestrel.Listen(address, options.Port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                if (options.Tls) listen.UseHttps(StreamingCertificate.Of(options, address, clock.GetUtcNow()));
            });
        });
        if (options.Tls) builder.WebHost.UseKestrelHttpsConfiguration();
        _app = builder.Build();
        _app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = PongInterval });
        _app.Run(HandleAsync);
        try
        {
            await _app.StartAsync(cancellationToken);
        }
        catch (IOException taken)
        {
            throw new FaultException(FaultKind.Unavailable, "streaming.cannot-listen",
                $"Streams cannot be served on {options.Address}, port {options.Port}: {taken.Message}");
        }
        BaseAddress = ReachableAddress(_app.Services.GetRequiredService<IServer>());
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        if (_app is null) return;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(StopMax);
        await _app.StopAsync(limit.Token);
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null) await _app.DisposeAsync();
        _stopping.Dispose();
    }

    /// <returns>A URL that is good for one request within a minute.</returns>
    /// <exception cref="FaultException">ResourceExhausted: too many are outstanding.</exception>
    internal string Issue(StreamTicket ticket) => $"{BaseAddress}/{ticket.Path}/{_tokens.Issue(ticket)}";

    private async Task HandleAsync(HttpContext context)
    {
        if (Interlocked.Increment(ref _sessions) > SessionsMax)
        {
            Interlocked.Decrement(ref _sessions);
            context.Response.Headers.RetryAfter = "1";
            await RefuseAsync(context, StatusCodes.Status429TooManyRequests, "Too many streams are open.");
            return;
        }
        try
        {
            if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsPost(context.Request.Method))
                await RefuseAsync(context, StatusCodes.Status405MethodNotAllowed, "Only GET and POST are served.");
            else if (Redeem(context.Request.Path) is { } ticket) await UpgradeAsync(context, ticket);
            else await RefuseAsync(context, StatusCodes.Status404NotFound, "The URL is unknown, was used before, or is too old.");
        }
        finally
        {
            Interlocked.Decrement(ref _sessions);
        }
    }

    /// <summary>A path is <c>/exec/TOKEN</c> and the like. A token at the wrong path is used up too.</summary>
    private StreamTicket? Redeem(PathString path)
    {
        var parts = (path.Value ?? "").Split('/');
        return parts is ["", var verb, { Length: > 0 } token] && _tokens.Redeem(token) is { } ticket && ticket.Path == verb ? ticket : null;
    }

    private Task UpgradeAsync(HttpContext context, StreamTicket ticket)
    {
        if (context.WebSockets.IsWebSocketRequest) return ServeWebSocketAsync(context, ticket);
        if (context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } upgrade &&
            context.Request.Headers.Upgrade.ToString().Contains(SpdyUpgrade, StringComparison.OrdinalIgnoreCase))
            return ServeSpdyAsync(context, upgrade, ticket);
        return RefuseAsync(context, StatusCodes.Status400BadRequest, $"Ask for an upgrade to {SpdyUpgrade} or websocket.");
    }

    private async Task ServeSpdyAsync(HttpContext context, IHttpUpgradeFeature upgrade, StreamTicket ticket)
    {
        var known = ticket is CommandTicket ? RemoteProtocol.OfSpdy : [new RemoteProtocol(RemoteProtocol.PortForward, false)];
        var asked = context.Request.Headers.GetCommaSeparatedValues(SpdyVersionHeader);
        if (RemoteProtocol.Choose(known, asked) is not { } protocol)
        {
            context.Response.Headers[SpdyAcceptedHeader] = known.Select(one => one.Name).ToArray();
            await RefuseAsync(context, StatusCodes.Status403Forbidden, NotSpoken(asked, known.Select(one => one.Name)));
            return;
        }
        context.Response.Headers.Upgrade = SpdyUpgrade;
        if (protocol.Name.Length > 0) context.Response.Headers[SpdyVersionHeader] = protocol.Name;
        await using var transport = await upgrade.UpgradeAsync();
        await WatchAsync(context, ticket, (idle, gone) => SpdySession.RunAsync(ticket, protocol, transport, idle, clock, gone));
    }

    private async Task ServeWebSocketAsync(HttpContext context, StreamTicket ticket)
    {
        var asked = context.WebSockets.WebSocketRequestedProtocols;
        var tunnels = ticket is ForwardTicket && asked.Contains(RemoteProtocol.TunnelledPortForward);
        var known = ticket is CommandTicket ? RemoteProtocol.OfWebSocket : RemoteProtocol.OfForwardChannels;
        var protocol = tunnels ? new RemoteProtocol(RemoteProtocol.TunnelledPortForward, false) : RemoteProtocol.Choose(known, [.. asked]);
        if (protocol is null)
        {
            var names = known.Select(one => one.Name);
            if (ticket is ForwardTicket) names = names.Append(RemoteProtocol.TunnelledPortForward);
            await RefuseAsync(context, StatusCodes.Status403Forbidden, NotSpoken(asked, names));
            return;
        }
        // Not as an option of the call: it refuses the slash in the tunnel's name, which the field has all the same.
        if (protocol.Name.Length > 0) context.Response.Headers.SecWebSocketProtocol = protocol.Name;
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        await WatchAsync(context, ticket, (idle, gone) => (ticket, tunnels) switch
        {
            (CommandTicket command, _) => WebSocketSession.RunAsync(command, protocol, socket, idle, clock, gone),
            (ForwardTicket forward, false) => WebSocketSession.ForwardAsync(forward, protocol, socket, idle, clock, gone),
            _ => TunnelAsync(ticket, protocol, socket, idle, gone),
        });
    }

    private async Task TunnelAsync(StreamTicket ticket, RemoteProtocol protocol, WebSocket socket, IdleWatch idle, CancellationToken gone)
    {
        await using var transport = WebSocketStream.Create(socket, WebSocketMessageType.Binary, StopMax);
        await SpdySession.RunAsync(ticket, protocol, transport, idle, clock, gone);
    }

    /// <summary>Runs a session until it is over, its client is gone, nothing has moved for too long, or the daemon stops.</summary>
    private async Task WatchAsync(HttpContext context, StreamTicket ticket, Func<IdleWatch, CancellationToken, Task> session)
    {
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _stopping.Token);
        using var idle = new IdleWatch(clock, options.IdleTimeout, () =>
        {
            LogIdle(ticket.Path);
            gone.Cancel();
        });
        using var hangup = context.Features.Get<IConnectionSocketFeature>() is { } connection
            ? new HangupWatch(clock, connection.Socket, gone.Cancel) : null;
        try
        {
            await session(idle, gone.Token);
        }
        catch (OperationCanceledException) when (gone.IsCancellationRequested)
        {
            context.Abort();
        }
        catch (SpdyProtocolException wrong)
        {
            // It has been told, which an abort would take back.
            LogBroken(ticket.Path, wrong.Message);
        }
        catch (Exception broken) when (broken is IOException or WebSocketException)
        {
            LogBroken(ticket.Path, broken.Message);
            context.Abort();
        }
        // Anything else is a defect: it ends this connection, and is known.
#pragma warning disable CA1031
        catch (Exception defect)
#pragma warning restore CA1031
        {
            LogDefect(defect, ticket.Path);
            context.Abort();
        }
    }

    private static string NotSpoken(IEnumerable<string> asked, IEnumerable<string> known) =>
        $"unable to upgrade: unable to negotiate protocol: client supports [{string.Join(' ', asked)}], server accepts [{string.Join(' ', known)}]";

    private static Task RefuseAsync(HttpContext context, int status, string why)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(why + "\n", context.RequestAborted);
    }

    // Who listens on every address is reached on loopback: the kubelet is on this machine.
    private static string ReachableAddress(IServer server)
    {
        var bound = new Uri(server.Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        var host = bound.Host switch { "0.0.0.0" => "127.0.0.1", "[::]" => "[::1]", var one => one };
        return $"{bound.Scheme}://{host}:{bound.Port}";
    }
}
