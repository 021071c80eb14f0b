using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Dispatch;
using Akka.Event;

namespace Runtime.Host;

/// <summary>Gives the actor system the daemon's logging, so that there is one log in one form.</summary>
/// <param name="logging">Where the actors' log events go; the category is the actor's path.</param>
internal sealed class ActorLoggingSetup(ILoggerFactory logging) : Setup
{
    public ILoggerFactory Logging { get; } = logging;
}

/// <summary>Akka's side of it: found by its name in <see cref="Hocon"/>, so this assembly is rooted for trimming.</summary>
internal sealed class ActorLogger : UntypedActor, IRequiresMessageQueue<ILoggerMessageQueueSemantics>
{
    public const string Hocon =
        """
        akka.loggers = ["Runtime.Host.ActorLogger, actord"]
        akka.stdout-logger-class = "Akka.Event.StandardOutLogger, Akka"
        """;

    private readonly ILoggerFactory _logging = Context.System.Settings.Setup.Get<ActorLoggingSetup>().Value.Logging;

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case InitializeLogger:
                Sender.Tell(new LoggerInitialized());
                break;
            case LogEvent happened:
                Write(happened);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private void Write(LogEvent happened)
    {
        var level = happened.LogLevel() switch
        {
            Akka.Event.LogLevel.DebugLevel => Microsoft.Extensions.Logging.LogLevel.Debug,
            Akka.Event.LogLevel.InfoLevel => Microsoft.Extensions.Logging.LogLevel.Information,
            Akka.Event.LogLevel.WarningLevel => Microsoft.Extensions.Logging.LogLevel.Warning,
            _ => Microsoft.Extensions.Logging.LogLevel.Error,
        };
        var logger = _logging.CreateLogger(happened.LogSource);
        if (!logger.IsEnabled(level)) return;
        var text = happened.Message.ToString() ?? "";
        ActorLog.Event(logger, level, happened.Cause, text);
    }
}

internal static partial class ActorLog
{
    [LoggerMessage(Message = "{Text}")]
    public static partial void Event(ILogger logger, Microsoft.Extensions.Logging.LogLevel level, Exception? cause, string text);
}
