using Akka.Actor;
using Akka.Persistence;
using Runtime.Actors.Journal;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Journal;

/// <summary>The plugin as persistent actors see it.</summary>
public sealed class JournalPluginTests : IAsyncLifetime
{
    private readonly TestJournal _journal = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _journal.DisposeAsync();

    [Fact]
    public async Task What_was_acknowledged_is_there_after_a_restart()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var system = _journal.Start(NoteJournal.Types);
        var writer = system.ActorOf(NoteTaker.Props("note/test/a"));
        for (var number = 1; number <= 3; number++)
            Assert.Equal("stored", await writer.Ask<string>(new NoteTaker.Store(new Noted("hello", number)), cancellation));
        await _journal.StopAsync(system);

        system = _journal.Start(NoteJournal.Types);
        var reader = system.ActorOf(NoteTaker.Props("note/test/a"));
        var recovered = await reader.Ask<object[]>(NoteTaker.Recall.Instance, cancellation);
        Assert.Equal([new Noted("hello", 1), new Noted("hello", 2), new Noted("hello", 3)], recovered);
    }
}

/// <summary>A persistent actor that keeps what it stored.</summary>
internal sealed class NoteTaker(string persistenceId) : UntypedPersistentActor
{
    private readonly List<object> _notes = [];

    public static Props Props(string persistenceId) => Akka.Actor.Props.Create(() => new NoteTaker(persistenceId));

    public sealed record Store(params object[] Events);

    public sealed record Recall
    {
        public static readonly Recall Instance = new();
    }

    public override string PersistenceId { get; } = persistenceId;

    protected override void OnRecover(object message)
    {
        if (message is not RecoveryCompleted) _notes.Add(message);
    }

    protected override void OnCommand(object message)
    {
        switch (message)
        {
            case Store store:
                var left = store.Events.Length;
                var caller = Sender;
                PersistAll(store.Events, stored =>
                {
                    _notes.Add(stored);
                    if (--left == 0) caller.Tell("stored");
                });
                break;
            case Recall:
                Sender.Tell(_notes.ToArray());
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr) => Sender.Tell(cause);
}
