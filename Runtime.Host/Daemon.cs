using System.Net.Sockets;
using Akka.Actor;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Console;
using Runtime.Actors;
using Runtime.Actors.Chaos;
using Runtime.Actors.Journal;
using Runtime.Actors.Ports;
using Runtime.Actors.Shims;
using Runtime.Api.Events;
using Runtime.Cri;
using Runtime.Faults;
using Runtime.Host.Configuration;
using Runtime.Ttrpc.Events;
using Runtime.Ttrpc.Rpc;

namespace Runtime.Host;

/// <summary>
/// The daemon's life: configuration, lock, journal, actors, sockets; and down again in the opposite order. Stopping it
/// touches no pod.
/// </summary>
internal static partial class Daemon
{
    private static readonly TimeSpan CompactionInterval = TimeSpan.FromHours(1);
    private static readonly TimeSpan ShutdownMax = TimeSpan.FromSeconds(10);

    public static async Task<int> RunAsync(string? configFile)
    {
        // 1. What is asked for.
        var loaded = ConfigLoader.Load(configFile);
        var config = loaded.Config;
        using var logging = LoggerFactory.Create(builder => ConfigureLogging(builder, config));
        var log = logging.CreateLogger("actord");
        foreach (var warning in loaded.Warnings) Log.ConfigWarning(log, warning.ToString());

        // 2. What must be ours alone: the journal's lock keeps a second daemon from this root, before it touches the sockets.
        // The journal is closed after the last actor.
        var layout = new DirectoryLayout(config.Root, config.State);
        MakeDirectories(layout);
        using var journal = JournalSetup.Create(DomainComposition.JournalOptions(config, layout), DomainJournal.Types, TimeProvider.System);
        LowerOomScore(config, log);
        UnixSockets.Prepare(config.Grpc.Address);
        UnixSockets.Prepare(config.Ttrpc.Address);

        // 3. Actors.
        var system = ActorSystem.Create("actord", BootstrapSetup.Create()
            .WithConfig(ActorSystemHocon.Config(config.LogLevel, ActorLogger.Hocon)).And(journal).And(new ActorLoggingSetup(logging)));
        try
        {
            using var domain = await DomainComposition.ComposeAsync(system, journal, config, layout);

            // 4. The sockets open once every list is right.
            await using var app = BuildServer(config, layout, loaded, domain, journal, system, logging);
            await app.StartAsync();
            UnixSockets.Restrict(config.Grpc.Address, config.Grpc.Uid, config.Grpc.Gid);
            await using var shimEvents = ServeTtrpc(config.Ttrpc, domain.ShimEvents, app.Services.GetRequiredService<EventHub>());
            using var compaction = CompactRegularly(journal.Store, log);
            SystemdNotify.Send("READY=1");
            Log.Ready(log, config.Grpc.Address, ActordVersion.Text);
            await app.WaitForShutdownAsync();
            SystemdNotify.Send("STOPPING=1");
            Log.Stopping(log);
        }
        finally
        {
            await system.Terminate().WaitAsync(ShutdownMax);
        }
        return 0;
    }

    private static WebApplication BuildServer(
        ActordConfig config, DirectoryLayout layout, LoadedConfig loaded, DomainComposition domain, JournalSetup journal, ActorSystem system,
        ILoggerFactory logging)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(logging);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenUnixSocket(config.Grpc.Address, listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Limits.Http2.MaxStreamsPerConnection = 10_000;
        });
        builder.Services.AddActordGrpc(
            domain.Domain, DomainComposition.ApiOptions(config, layout, loaded, domain.Features), journal.Store, config.Streaming);
        if (config.ChaosEnabled) builder.Services.AddSingleton(ChaosEngine.Of(system)).AddSingleton<Api.Services.ActordChaosService>();
        var app = builder.Build();
        app.MapActordGrpc();
        return app;
    }

    // Events of what is gone are kept for their time, and no longer.
    private static Timer CompactRegularly(JournalStore journal, ILogger log) => new(
        async _ =>
        {
            try
            {
                await journal.CompactAsync(TimeProvider.System.GetUtcNow(), CancellationToken.None);
            }
            catch (FaultException failed)
            {
                Log.CompactionFailed(log, failed.Fault.Message);
            }
        },
        null, CompactionInterval, CompactionInterval);

    // Shims report events here; what they tell goes to the actors as hints, and to whoever has subscribed.
    private static TtrpcListener ServeTtrpc(SocketConfig socket, ShimEvents shims, EventHub hub)
    {
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(socket.Address));
        UnixSockets.Restrict(socket.Address, socket.Uid, socket.Gid);
        listener.Listen();
        return new TtrpcListener(listener, new EventsService((envelope, cancellation) =>
        {
            hub.Publish(envelope);
            return shims.ForwardAsync(envelope, cancellation);
        }));
    }

    private static void ConfigureLogging(ILoggingBuilder builder, ActordConfig config)
    {
        builder.SetMinimumLevel(config.LogLevel switch
        {
            "trace" => LogLevel.Trace,
            "debug" => LogLevel.Debug,
            "info" => LogLevel.Information,
            "warn" => LogLevel.Warning,
            "error" => LogLevel.Error,
            _ => LogLevel.Critical,
        });
        foreach (var library in new[] { "Microsoft", "Grpc" })
            builder.AddFilter(library, config.LogLevel is "trace" ? LogLevel.Debug : LogLevel.Warning);
        if (config.LogJson) builder.AddJsonConsole(json => json.UseUtcTimestamp = true);
        else
        {
            builder.AddSimpleConsole(simple =>
            {
                simple.SingleLine = true;
                simple.UseUtcTimestamp = true;
                simple.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
                simple.ColorBehavior = LoggerColorBehavior.Disabled;
            });
        }
        builder.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
    }

    private static void MakeDirectories(DirectoryLayout layout)
    {
        const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        foreach (var directory in new[] { layout.Root, layout.State, layout.NetworkNamespaces })
            Directory.CreateDirectory(directory, Private);
    }

    private static void LowerOomScore(ActordConfig config, ILogger log)
    {
        if (config.OomScore == 0) return;
        try
        {
            File.WriteAllText("/proc/self/oom_score_adj", $"{config.OomScore}");
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            Log.OomScoreRefused(log, config.OomScore, refused.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "actord {Version} serves {Address}")]
        public static partial void Ready(ILogger log, string address, string version);

        [LoggerMessage(Level = LogLevel.Information, Message = "Stopping; pods go on")]
        public static partial void Stopping(ILogger log);

        [LoggerMessage(Level = LogLevel.Warning, Message = "The journal could not be compacted: {Reason}")]
        public static partial void CompactionFailed(ILogger log, string reason);

        [LoggerMessage(Level = LogLevel.Warning, Message = "{Finding}")]
        public static partial void ConfigWarning(ILogger log, string finding);

        [LoggerMessage(Level = LogLevel.Warning, Message = "oom_score {Score} is refused by the kernel ({Reason}); going on without")]
        public static partial void OomScoreRefused(ILogger log, int score, string reason);
    }
}
