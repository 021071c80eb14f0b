using Akka.Actor;
using Runtime.Actors.Journal;

namespace Runtime.Tests.Support;

/// <summary>
/// The real journal in a directory of its own (in memory, where the machine has /dev/shm), and actor systems on it.
/// A second system after the first has stopped sees what the first stored, as a daemon does after its restart.
/// </summary>
public sealed class TestJournal : IAsyncDisposable
{
    // Failures are provoked here: their log would hide what a test says.
    private const string Quiet = "akka { loglevel = OFF, stdout-loglevel = OFF, loggers = [] }\n";

    private readonly List<(ActorSystem System, JournalSetup Setup)> _running = [];

    /// <param name="change">Options that differ from the defaults.</param>
    public TestJournal(Func<JournalOptions, JournalOptions>? change = null)
    {
        Directory = System.IO.Directory.CreateDirectory(Path.Combine(
            System.IO.Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(),
            $"actord-journal-{Guid.NewGuid():N}")).FullName;
        var options = new JournalOptions(Path.Combine(Directory, "journal.db"));
        Options = change?.Invoke(options) ?? options;
    }

    public string Directory { get; }

    public JournalOptions Options { get; }

    /// <summary>Opens the store alone.</summary>
    public JournalStore Open() => JournalStore.Open(Options);

    /// <summary>
    /// Starts an actor system on the journal; its <see cref="JournalStore"/> is <see cref="StoreOf"/>. Only one can run
    /// at a time, as only one daemon can.
    /// </summary>
    /// <param name="hocon">Settings that differ, for example <c>akka.loglevel = DEBUG</c> with a logger.</param>
    public ActorSystem Start(IEnumerable<JournalType> types, TimeProvider? clock = null, string hocon = "")
    {
        var setup = JournalSetup.Create(Options, types, clock ?? TimeProvider.System);
        var system = ActorSystem.Create("test", BootstrapSetup.Create()
            .WithConfig(ActorSystemHocon.Config("error", Quiet + hocon))
            .And(setup));
        _running.Add((system, setup));
        return system;
    }

    public JournalStore StoreOf(ActorSystem system) => _running.Single(one => one.System == system).Setup.Store;

    /// <summary>Stops an actor system and closes the journal.</summary>
    public async Task StopAsync(ActorSystem system)
    {
        await system.Terminate();
        var stopped = _running.Single(one => one.System == system);
        stopped.Setup.Dispose();
        _running.Remove(stopped);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (system, _) in _running.ToArray()) await StopAsync(system);
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}
