using Runtime.Actors.Journal;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Journal;

/// <summary>Entities that end, ids that are used again, and what retention may delete.</summary>
public sealed class JournalLivesTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Noon = StoreCalls.Noon;
    private readonly TestJournal _journal = new();
    private JournalStore _store = null!;

    public ValueTask InitializeAsync()
    {
        _store = _journal.Open();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        _store.Dispose();
        return _journal.DisposeAsync();
    }

    [Fact]
    public async Task The_catalogue_names_the_live_ids_of_one_prefix()
    {
        await _store.Append("note/test/a", 1);
        await _store.Append("note/test/b", 1);
        await _store.End("note/test/b", 2);
        await _store.Append("note/test2/c", 1);
        await _store.Append("noted/test/d", 1);
        await _store.Append("note/test/\u00fc/\U0001F4E6", 1);

        Assert.Equal(["note/test/a", "note/test/\u00fc/\U0001F4E6"], await _store.Live("note/test/"));
        Assert.Empty(await _store.Live("nobody/"));
    }

    [Fact]
    public async Task An_id_lives_again_with_the_next_event_and_its_former_life_is_not_replayed()
    {
        await _store.Append("note/test/a", 1, 2);
        await _store.End("note/test/a", 3);
        Assert.Empty(await _store.Live());
        Assert.Empty(await _store.Sequences("note/test/a"));
        Assert.Equal(3, await _store.Highest("note/test/a"));

        await _store.Append("note/test/a", 4);
        Assert.Equal(["note/test/a"], await _store.Live());
        Assert.Equal([4], await _store.Sequences("note/test/a"));
        Assert.Equal(4, (await _store.History("a")).Length);
    }

    [Fact]
    public async Task A_batch_that_ends_one_life_and_begins_the_next_leaves_the_id_live()
    {
        await _store.AppendAsync("note/test/a",
            [StoreCalls.Event(1), StoreCalls.Event(2, ends: true), StoreCalls.Event(3)], Noon, TestContext.Current.CancellationToken);
        Assert.Equal(["note/test/a"], await _store.Live());
        Assert.Equal([3], await _store.Sequences("note/test/a"));
    }

    [Fact]
    public async Task Compaction_deletes_lives_that_ended_before_its_bound_and_never_a_live_one()
    {
        await _store.Append("note/test/live", 1, 2);
        await _store.Append("note/test/early", 1);
        await _store.End("note/test/early", 2, Noon);
        await _store.Append("note/test/late", 1);
        await _store.End("note/test/late", 2, Noon.AddHours(2));

        var done = await Compact(Noon.AddHours(1));

        Assert.Equal((1, 2), (done.Entities, done.Events));
        Assert.Equal([1, 2], await _store.Sequences("note/test/live"));
        Assert.Equal(2, (await _store.History("late")).Length);
        Assert.Equal("history.unknown-id", (await StoreCalls.Fault(() => _store.History("early"))).Code);
    }

    [Fact]
    public async Task Compaction_forgets_the_former_lives_of_an_id_in_use_and_keeps_its_present_one()
    {
        await _store.Append("note/test/a", 1);
        await _store.End("note/test/a", 2);
        await _store.Append("note/test/a", 3, 4);

        Assert.Equal(2, (await Compact(Noon.AddHours(1))).Events);

        Assert.Equal([3, 4], (await _store.History("a")).Select(entry => entry.Sequence));
        Assert.Equal([3, 4], await _store.Sequences("note/test/a"));
        Assert.Equal(4, await _store.Highest("note/test/a"));
        await _store.Append("note/test/a", 5);
        Assert.Equal(0, (await Compact(Noon.AddHours(1))).Events);
    }

    [Fact]
    public async Task An_id_that_was_compacted_away_can_be_used_again()
    {
        await _store.Append("note/test/a", 1);
        await _store.End("note/test/a", 2);
        await Compact(Noon.AddHours(1));
        Assert.Equal(0, await _store.Highest("note/test/a"));
        await _store.Append("note/test/a", 1);
        Assert.Equal([1], await _store.Sequences("note/test/a"));
    }

    [Fact]
    public async Task An_actor_that_recovered_before_its_id_was_compacted_goes_on_counting()
    {
        await _store.Append("note/test/a", 1);
        await _store.End("note/test/a", 2);
        await Compact(Noon.AddHours(1));
        await _store.Append("note/test/a", 3);
        Assert.Equal([3], await _store.Sequences("note/test/a"));
        Assert.Equal(["note/test/a"], await _store.Live());
    }

    [Fact]
    public async Task Compaction_by_size_takes_the_oldest_ends_first_until_the_journal_fits()
    {
        var payload = $$"""{"text":"{{new string('x', 4000)}}"}""";
        for (var i = 0; i < 20; i++)
        {
            await _store.AppendAsync($"note/test/{i:D4}",
                [.. Enumerable.Range(1, 20).Select(n => StoreCalls.Event(n, payload: payload))], Noon, TestContext.Current.CancellationToken);
            await _store.End($"note/test/{i:D4}", 21, Noon.AddMinutes(i));
        }
        await _store.AppendAsync("note/test/live", [StoreCalls.Event(1, payload: payload)], Noon, TestContext.Current.CancellationToken);

        var done = await _store.CompactAsync(Noon.AddDays(-1), 1_000_000, TestContext.Current.CancellationToken);

        Assert.InRange(done.Bytes, 1, 1_000_000);
        Assert.InRange(done.Entities, 5, 15);
        Assert.Equal("history.unknown-id", (await StoreCalls.Fault(() => _store.History("0000"))).Code);
        Assert.Equal(21, (await _store.History("0019")).Length);
        Assert.Equal(["note/test/live"], await _store.Live());
    }

    [Fact]
    public async Task Compaction_gives_space_back_to_the_file_system()
    {
        var payload = $$"""{"text":"{{new string('x', 4000)}}"}""";
        var events = Enumerable.Range(1, 2000).Select(n => StoreCalls.Event(n, payload: payload)).ToArray();
        foreach (var chunk in events.Chunk(200))
            await _store.AppendAsync("note/test/big", chunk, Noon, TestContext.Current.CancellationToken);
        await _store.End("note/test/big", 2001);
        await Compact(Noon.AddHours(1));
        _store.Dispose();
        Assert.InRange(new FileInfo(_journal.Options.Path).Length, 1, 4_000_000);
        _store = _journal.Open();
    }

    [Fact]
    public async Task Compaction_removes_the_snapshots_of_an_ended_entity()
    {
        await _store.Append("note/test/a", 1);
        var snapshot = new JournalSnapshot(1, Noon, "note.book.v1", "{}"u8.ToArray());
        await _store.SaveSnapshotAsync("note/test/a", snapshot, TestContext.Current.CancellationToken);
        await _store.End("note/test/a", 2);
        await Compact(Noon.AddHours(1));
        Assert.Null(await _store.LoadSnapshotAsync("note/test/a", JournalSnapshotRange.All, TestContext.Current.CancellationToken));
    }

    private Task<JournalCompaction> Compact(DateTimeOffset before) =>
        _store.CompactAsync(before, long.MaxValue, TestContext.Current.CancellationToken);
}
