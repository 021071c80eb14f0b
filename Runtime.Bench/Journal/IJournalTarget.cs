using Akka.Actor;
using Runtime.Actors.Journal;

namespace Runtime.Bench.Journal;

/// <summary>A journal plugin with an actor system on it.</summary>
internal interface IJournalTarget
{
    string Name { get; }

    /// <summary>Starts a system on a file, made where missing.</summary>
    JournalSystem Start(string path);
}

/// <summary>A running actor system, and what must be given back after it.</summary>
internal sealed class JournalSystem(ActorSystem actors, IDisposable? resource) : IAsyncDisposable
{
    public ActorSystem Actors { get; } = actors;

    public async ValueTask DisposeAsync()
    {
        await Actors.Terminate();
        resource?.Dispose();
    }
}

/// <summary>Runtime.Actors/Journal, with the daemon's own settings.</summary>
internal sealed class ActordTarget(JournalSynchronous synchronous) : IJournalTarget
{
    public string Name => "actord";

    public JournalSystem Start(string path)
    {
        var setup = JournalSetup.Create(
            new JournalOptions(path) { Synchronous = synchronous }, [BenchEvent.Type], TimeProvider.System);
        return new JournalSystem(
            ActorSystem.Create("bench", BootstrapSetup.Create().WithConfig(ActorSystemHocon.Config("error")).And(setup)), setup);
    }
}
