using Akka.Actor;
using Akka.Persistence;
using Runtime.Actors.Journal;
using Runtime.Faults;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Journal;

/// <summary>The plugin as persistent actors see it: what Akka's own test kit for journals asks of one.</summary>
public sealed class JournalPluginTests : IAsyncLifetime
{
    private const string Id = "note/test/a";
    private readonly TestJournal _journal = new();
    private ActorSystem _system = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _system = _journal.Start(NoteJournal.Types);
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _journal.DisposeAsync();

    [Fact]
    public async Task What_was_acknowledged_is_there_after_a_restart()
    {
        var writer = Taker();
        for (var number = 1; number <= 3; number++) Assert.Equal("stored", await Store(writer, Note(number)));
        await RestartAsync();
        Assert.Equal([Note(1), Note(2), Note(3)], await Recall(Taker()));
    }

    [Fact]
    public async Task A_batch_is_stored_whole()
    {
        Assert.Equal("stored", await Store(Taker(), Note(1), Note(2), Note(3)));
        await RestartAsync();
        Assert.Equal([Note(1), Note(2), Note(3)], await Recall(Taker()));
    }

    [Fact]
    public async Task An_event_that_cannot_be_written_rejects_its_whole_batch_and_the_actor_goes_on()
    {
        var writer = Taker();
        var fault = Assert.IsType<FaultException>(await Store(writer, Note(1), new Unlisted("x"), Note(2))).Fault;
        Assert.Equal((FaultKind.InvalidArgument, "journal.unregistered-type"), (fault.Kind, fault.Code));
        Assert.Contains(nameof(Unlisted), fault.Message, StringComparison.Ordinal);
        Assert.Equal("stored", await Store(writer, Note(3)));
        await RestartAsync();
        Assert.Equal([Note(3)], await Recall(Taker()));
    }

    [Fact]
    public async Task Several_batches_of_one_message_stand_for_themselves()
    {
        var replies = await Taker().Ask<object[]>(new NoteTaker.StoreEach(Note(1), new Unlisted("x"), Note(3)), Cancellation);
        Assert.Equal(["stored", "rejected", "stored"], replies);
        await RestartAsync();
        Assert.Equal([Note(1), Note(3)], await Recall(Taker()));
    }

    [Fact]
    public async Task Recovery_stops_at_the_asked_sequence_number_and_count()
    {
        await Store(Taker(), Note(1), Note(2), Note(3), Note(4));
        await RestartAsync();
        Assert.Equal([Note(1), Note(2)], await Recall(Taker(recovery: new Recovery(SnapshotSelectionCriteria.Latest, 2))));
        Assert.Equal([Note(1), Note(2), Note(3)],
            await Recall(Taker(recovery: new Recovery(SnapshotSelectionCriteria.Latest, long.MaxValue, 3))));
    }

    [Fact]
    public async Task Deleted_events_are_not_replayed_and_their_numbers_not_given_again()
    {
        var writer = Taker();
        await Store(writer, Note(1), Note(2), Note(3));
        Assert.Equal(3L, (await writer.Ask<DeleteMessagesSuccess>(new NoteTaker.DeleteTo(3), Cancellation)).ToSequenceNr);
        await RestartAsync();
        writer = Taker();
        Assert.Empty(await Recall(writer));
        await Store(writer, Note(4));
        Assert.Equal(4, await _journal.StoreOf(_system).Highest(Id));
        await RestartAsync();
        Assert.Equal([Note(4)], await Recall(Taker()));
    }

    [Fact]
    public async Task Ten_actors_write_at_once_and_each_recovers_its_own()
    {
        await Task.WhenAll(Enumerable.Range(0, 10).Select(async actor =>
        {
            var writer = Taker($"note/test/{actor}");
            for (var number = 0; number < 100; number++) await Store(writer, new Noted($"{actor}", number));
        }));
        await RestartAsync();
        for (var actor = 0; actor < 10; actor++)
        {
            var name = $"{actor}";
            Assert.Equal(Enumerable.Range(0, 100).Select(number => (object)new Noted(name, number)), await Recall(Taker($"note/test/{actor}")));
        }
    }

    [Fact]
    public async Task An_actor_recovers_from_its_newest_snapshot_and_the_events_after_it()
    {
        var writer = Taker();
        await Store(writer, Note(1), Note(2));
        await SnapshotAsync(writer, "first two");
        await Store(writer, Note(3));
        await RestartAsync();
        Assert.Equal([new NoteTaker.Offered("first two", 2), Note(3)], await Recall(Taker()));
    }

    [Fact]
    public async Task A_snapshot_is_chosen_by_sequence_number_and_by_time()
    {
        var writer = Taker();
        await Store(writer, Note(1));
        await SnapshotAsync(writer, "one");
        await Store(writer, Note(2));
        var two = await SnapshotAsync(writer, "two");
        await Store(writer, Note(3));
        var three = await SnapshotAsync(writer, "three");
        Assert.True(three.Timestamp > two.Timestamp);
        await RestartAsync();

        Assert.Equal(new NoteTaker.Offered("two", 2), (await RecallFrom(new SnapshotSelectionCriteria(2)))[0]);
        Assert.Equal(new NoteTaker.Offered("two", 2), (await RecallFrom(new SnapshotSelectionCriteria(long.MaxValue, two.Timestamp)))[0]);
        Assert.Equal(new NoteTaker.Offered("three", 3), (await RecallFrom(SnapshotSelectionCriteria.Latest))[0]);
        Assert.Equal(Note(1), (await RecallFrom(new SnapshotSelectionCriteria(long.MaxValue, DateTime.MaxValue, 4)))[0]);
        Assert.Equal(Note(1), (await RecallFrom(SnapshotSelectionCriteria.None))[0]);
        Assert.Equal(new NoteTaker.Offered("one", 1), (await Recall(Taker(
            recovery: new Recovery(SnapshotSelectionCriteria.Latest, 1))))[0]);
    }

    [Fact]
    public async Task One_snapshot_or_many_can_be_deleted_and_the_others_stay()
    {
        var writer = Taker();
        for (var number = 1; number <= 4; number++)
        {
            await Store(writer, Note(number));
            await SnapshotAsync(writer, $"{number}");
        }
        await writer.Ask<DeleteSnapshotSuccess>(new NoteTaker.DeleteSnapshotOf(4), Cancellation);
        await writer.Ask<DeleteSnapshotsSuccess>(new NoteTaker.DeleteSnapshotsUpTo(new SnapshotSelectionCriteria(2)), Cancellation);
        await RestartAsync();

        Assert.Equal(new NoteTaker.Offered("3", 3), (await RecallFrom(SnapshotSelectionCriteria.Latest))[0]);
        Assert.Equal(Note(1), (await RecallFrom(new SnapshotSelectionCriteria(2)))[0]);
    }

    [Fact]
    public async Task A_snapshot_at_the_same_sequence_number_replaces_the_former()
    {
        var writer = Taker();
        await Store(writer, Note(1));
        await SnapshotAsync(writer, "old");
        await SnapshotAsync(writer, "new");
        await RestartAsync();
        Assert.Equal([new NoteTaker.Offered("new", 1)], await Recall(Taker()));
    }

    [Fact]
    public async Task A_snapshot_of_an_unregistered_type_fails_by_name()
    {
        var writer = Taker();
        await Store(writer, Note(1));
        var failure = await writer.Ask<SaveSnapshotFailure>(new NoteTaker.Snapshot(new Unlisted("x")), Cancellation);
        Assert.Equal("journal.unregistered-type", Assert.IsType<FaultException>(failure.Cause).Fault.Code);
    }

    [Fact]
    public async Task An_event_that_this_release_does_not_know_stops_recovery_with_its_name()
    {
        await _journal.StoreOf(_system).AppendAsync(
            Id, [new JournalEvent(1, "note.erased.v9", "{}"u8.ToArray())], StoreCalls.Noon, Cancellation);
        var failure = new TaskCompletionSource<Exception>();
        _system.ActorOf(NoteTaker.Props(Id, failure: failure.SetResult));
        var fault = Assert.IsType<FaultException>(await failure.Task.WaitAsync(Cancellation)).Fault;
        Assert.Equal("journal.unknown-manifest", fault.Code);
        Assert.Contains("note.erased.v9", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_system_without_the_setup_says_what_is_missing()
    {
        var lonely = ActorSystem.Create("lonely", ActorSystemHocon.Config("error"));
        try
        {
            var cause = Assert.Throws<Akka.Configuration.ConfigurationException>(() => JournalSetup.Of(lonely));
            Assert.Contains(nameof(JournalSetup), cause.Message, StringComparison.Ordinal);
        }
        finally
        {
            lonely.Terminate();
        }
    }

    private static Noted Note(int number) => new("note", number);

    private IActorRef Taker(string id = Id, Recovery? recovery = null) => _system.ActorOf(NoteTaker.Props(id, recovery));

    private static Task<object> Store(IActorRef writer, params object[] events) =>
        writer.Ask<object>(new NoteTaker.Store(events), Cancellation);

    private static Task<object[]> Recall(IActorRef reader) => reader.Ask<object[]>(NoteTaker.Recall.Instance, Cancellation);

    private Task<object[]> RecallFrom(SnapshotSelectionCriteria criteria) => Recall(Taker(recovery: new Recovery(criteria)));

    private static async Task<SnapshotMetadata> SnapshotAsync(IActorRef writer, string text) =>
        (await writer.Ask<SaveSnapshotSuccess>(new NoteTaker.Snapshot(new NoteBook([text])), Cancellation)).Metadata;

    private async Task RestartAsync()
    {
        await _journal.StopAsync(_system);
        _system = _journal.Start(NoteJournal.Types);
    }
}
