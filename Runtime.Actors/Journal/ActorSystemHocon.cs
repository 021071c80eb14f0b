using Akka.Configuration;

namespace Runtime.Actors.Journal;

/// <summary>The whole actor system's configuration. It is given explicitly: nothing is read from an app.config.</summary>
public static class ActorSystemHocon
{
    // Idle, nothing wakes up (see TimerScheduler); all dispatchers share the .NET thread pool, so that an idle daemon owns
    // no threads of its own for actors.
    private const string Lean =
        """
        akka {
          log-config-on-start = off
          log-dead-letters = off
          log-dead-letters-during-shutdown = off
          logger-startup-timeout = 30s
          scheduler.implementation = "Runtime.Actors.Scheduling.TimerScheduler, Runtime.Actors"
          actor {
            default-dispatcher { executor = "thread-pool-executor" }
            internal-dispatcher { executor = "thread-pool-executor" }
          }
          coordinated-shutdown {
            run-by-clr-shutdown-hook = off
            exit-clr = off
          }
        }
        """;

    /// <param name="level">containerd's name: trace, debug, info, warn, error, fatal or panic.</param>
    /// <param name="more">HOCON that goes before these settings, for example loggers.</param>
    public static Config Config(string level = "info", string more = "")
    {
        var name = LevelOf(level);
        return ConfigurationFactory.ParseString(more)
            .WithFallback(ConfigurationFactory.ParseString($"akka.loglevel = {name}\nakka.stdout-loglevel = {name}"))
            .WithFallback(ConfigurationFactory.ParseString(JournalHocon.Text))
            .WithFallback(ConfigurationFactory.ParseString(Lean));
    }

    /// <summary>Akka's name of a level; it knows no fatal, and a log without errors is no use.</summary>
    public static string LevelOf(string level) => level.ToUpperInvariant() switch
    {
        "TRACE" or "DEBUG" => "DEBUG",
        "INFO" or "" => "INFO",
        "WARN" or "WARNING" => "WARNING",
        "ERROR" or "FATAL" or "PANIC" => "ERROR",
        _ => throw new ArgumentOutOfRangeException(nameof(level), level, "Not a log level."),
    };
}
