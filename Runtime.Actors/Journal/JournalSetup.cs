using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;

namespace Runtime.Actors.Journal;

/// <summary>
/// Hands the open journal to the plugin, which Akka itself creates. The host adds it to the actor system's setup and
/// disposes it once the system has terminated.
/// </summary>
/// <example><code>
/// using var journal = JournalSetup.Create(new JournalOptions(layout.JournalFile), types, TimeProvider.System);
/// var system = ActorSystem.Create("actord", BootstrapSetup.Create().WithConfig(ActorSystemHocon.Config()).And(journal));
/// </code></example>
public sealed class JournalSetup(JournalStore store, JournalTypes types, TimeProvider clock) : Setup, IDisposable
{
    public JournalStore Store { get; } = store;

    public JournalTypes Types { get; } = types;

    public TimeProvider Clock { get; } = clock;

    /// <summary>Opens the journal.</summary>
    /// <exception cref="Faults.FaultException">As <see cref="JournalStore.Open(JournalOptions)"/>.</exception>
    public static JournalSetup Create(
        JournalOptions options, IEnumerable<JournalType> types, TimeProvider clock, IEnumerable<JournalUpcast>? upcasts = null) =>
        new(JournalStore.Open(options), new JournalTypes(types, upcasts), clock);

    public void Dispose() => Store.Dispose();

    internal static JournalSetup Of(ActorSystem system)
    {
        var setup = system.Settings.Setup.Get<JournalSetup>();
        return setup.HasValue
            ? setup.Value
            : throw new ConfigurationException("The actor system was created without a JournalSetup, which its journal plugin needs.");
    }
}
