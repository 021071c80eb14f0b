using Runtime.Actors.Journal;
using Runtime.Faults;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Journal;

public sealed class JournalStoreTests : IAsyncLifetime
{
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
    public async Task Events_are_replayed_in_order_within_both_bounds_and_the_maximum()
    {
        await _store.Append("note/test/a", 1, 2, 3);
        await _store.Append("note/test/a", 4);
        await _store.Append("note/test/b", 1);

        Assert.Equal([1, 2, 3, 4], await _store.Sequences("note/test/a"));
        Assert.Equal([2, 3], await _store.Sequences("note/test/a", from: 2, to: 3));
        Assert.Equal([2], await _store.Sequences("note/test/a", from: 2, to: 2));
        Assert.Equal([1, 2], await _store.Sequences("note/test/a", max: 2));
        Assert.Equal([3], await _store.Sequences("note/test/a", from: 3, max: 1));
        Assert.Empty(await _store.Sequences("note/test/a", max: 0));
        Assert.Empty(await _store.Sequences("note/test/a", from: 5));
        Assert.Empty(await _store.Sequences("note/test/a", from: 3, to: 2));
        Assert.Empty(await _store.Sequences("note/test/nobody"));
    }

    [Fact]
    public async Task The_highest_sequence_number_survives_deletes_and_a_restart()
    {
        Assert.Equal(0, await _store.Highest("note/test/a"));
        await _store.Append("note/test/a", 1, 2, 3);
        await _store.DeleteToAsync("note/test/a", 3, TestContext.Current.CancellationToken);

        Assert.Equal(3, await _store.Highest("note/test/a"));
        Assert.Empty(await _store.Sequences("note/test/a"));
        _store.Dispose();
        _store = _journal.Open();
        Assert.Equal(3, await _store.Highest("note/test/a"));
    }

    [Fact]
    public async Task A_delete_takes_only_its_own_events_up_to_its_bound()
    {
        await _store.Append("note/test/a", 1, 2, 3);
        await _store.Append("note/test/b", 1, 2, 3);
        await _store.DeleteToAsync("note/test/a", 2, TestContext.Current.CancellationToken);

        Assert.Equal([3], await _store.Sequences("note/test/a"));
        Assert.Equal([1, 2, 3], await _store.Sequences("note/test/b"));
    }

    [Fact]
    public async Task A_delete_beyond_the_last_event_does_not_swallow_the_next_ones()
    {
        await _store.Append("note/test/a", 1);
        await _store.DeleteToAsync("note/test/a", 100, TestContext.Current.CancellationToken);
        await _store.Append("note/test/a", 2);

        Assert.Equal([2], await _store.Sequences("note/test/a"));
    }

    [Fact]
    public async Task A_batch_with_a_taken_sequence_number_is_refused_whole()
    {
        await _store.Append("note/test/a", 1, 2);
        await _store.Append("note/test/b", 3);

        var fault = await StoreCalls.Fault(() => _store.Append("note/test/a", 3, 2));

        Assert.Equal((FaultKind.AlreadyExists, "journal.duplicate-sequence"), (fault.Kind, fault.Code));
        Assert.Contains("note/test/a", fault.Message, StringComparison.Ordinal);
        Assert.Equal([1, 2], await _store.Sequences("note/test/a"));
        Assert.Equal(2, await _store.Highest("note/test/a"));
    }

    [Fact]
    public async Task A_sequence_number_stays_taken_after_its_event_was_deleted()
    {
        await _store.Append("note/test/a", 1, 2);
        await _store.DeleteToAsync("note/test/a", 2, TestContext.Current.CancellationToken);
        Assert.Equal(FaultKind.AlreadyExists, (await StoreCalls.Fault(() => _store.Append("note/test/a", 2))).Kind);
    }

    [Fact]
    public async Task A_batch_that_fails_leaves_its_neighbours_of_the_same_transaction_alone()
    {
        await _store.Append("note/test/bad", 1);
        var good = new List<Task>();
        var bad = new List<Task>();
        using (var held = new HeldWriter(_store))
        {
            for (var i = 0; i < 50; i++)
            {
                good.Add(_store.Append($"note/test/{i}", 1, 2));
                bad.Add(_store.Append("note/test/bad", 1));
            }
        }
        await Task.WhenAll(good);
        foreach (var one in bad) Assert.Equal(FaultKind.AlreadyExists, (await StoreCalls.Fault(() => one)).Kind);
        for (var i = 0; i < 50; i++) Assert.Equal([1, 2], await _store.Sequences($"note/test/{i}"));
        Assert.Equal([1], await _store.Sequences("note/test/bad"));
    }

    [Fact]
    public async Task A_bug_in_one_change_fails_that_change_only()
    {
        Task<bool> broken;
        Task good;
        using (var held = new HeldWriter(_store))
        {
            broken = _store.ChangeAsync<bool>(session =>
            {
                session.DeleteTo("note/test/a", 1);
                throw new InvalidOperationException("a bug");
            }, TestContext.Current.CancellationToken);
            good = _store.Append("note/test/a", 1);
        }
        await good;
        await Assert.ThrowsAsync<InvalidOperationException>(() => broken);
        Assert.Equal([1], await _store.Sequences("note/test/a"));
    }

    [Fact]
    public async Task The_highest_sequence_number_counts_writes_that_were_asked_for_before()
    {
        Task<long> highest;
        using (var held = new HeldWriter(_store))
        {
            _ = _store.Append("note/test/a", 1);
            highest = _store.Highest("note/test/a");
            Assert.False(highest.IsCompleted);
        }
        Assert.Equal(1, await highest);
    }

    [Fact]
    public async Task Ten_concurrent_writers_lose_nothing_and_share_one_order()
    {
        const int writers = 10, each = 200;
        await Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(async () =>
        {
            for (var sequence = 1; sequence <= each; sequence++) await _store.Append($"note/test/{writer}", sequence);
        })));

        var orderings = new HashSet<long>();
        for (var writer = 0; writer < writers; writer++)
        {
            Assert.Equal(Enumerable.Range(1, each).Select(i => (long)i), await _store.Sequences($"note/test/{writer}"));
            var history = await _store.History($"{writer}");
            Assert.Equal(history.OrderBy(entry => entry.Sequence), history);
            foreach (var entry in history) Assert.True(orderings.Add(entry.Ordering));
        }
        Assert.Equal(writers * each, orderings.Max());
    }

    [Fact]
    public async Task An_ordering_is_never_given_twice_even_when_the_last_events_are_deleted()
    {
        await _store.Append("note/test/aaaa", 1, 2);
        var last = (await _store.History("aaaa"))[^1].Ordering;
        await _store.DeleteToAsync("note/test/aaaa", 2, TestContext.Current.CancellationToken);
        await _store.Append("note/test/aaaa", 3);
        Assert.True((await _store.History("aaaa")).Single().Ordering > last);
    }

    [Fact]
    public async Task A_request_that_was_cancelled_while_it_waited_is_not_stored()
    {
        using var cancelled = new CancellationTokenSource();
        Task waiting;
        using (var held = new HeldWriter(_store))
        {
            waiting = _store.AppendAsync("note/test/a", [StoreCalls.Event(1)], StoreCalls.Noon, cancelled.Token);
            await cancelled.CancelAsync();
        }
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(0, await _store.Highest("note/test/a"));
    }

    [Fact]
    public async Task A_request_to_a_closed_journal_is_unavailable()
    {
        _store.Dispose();
        Assert.Equal("journal.closed", (await StoreCalls.Fault(() => _store.Append("note/test/a", 1))).Code);
        Assert.Equal("journal.closed", (await StoreCalls.Fault(() => _store.Highest("note/test/a"))).Code);
    }

    [Fact]
    public async Task Closing_finishes_what_waits()
    {
        var held = new HeldWriter(_store);
        var waiting = _store.Append("note/test/a", 1);
        var closing = Task.Run(_store.Dispose, TestContext.Current.CancellationToken);
        held.Dispose();
        await closing;
        await waiting;
        _store = _journal.Open();
        Assert.Equal([1], await _store.Sequences("note/test/a"));
    }

    [Fact]
    public async Task A_full_queue_refuses_and_stores_nothing_of_it()
    {
        _store.Dispose();
        _store = JournalStore.Open(_journal.Options with { QueueMax = 2 });
        Task[] accepted;
        RuntimeFault refused;
        using (var held = new HeldWriter(_store))
        {
            accepted = [_store.Append("note/test/a", 1), _store.Append("note/test/b", 1)];
            refused = await StoreCalls.Fault(() => _store.Append("note/test/c", 1));
        }
        Assert.Equal((FaultKind.ResourceExhausted, "journal.queue-full"), (refused.Kind, refused.Code));
        await Task.WhenAll(accepted);
        Assert.Equal(["note/test/a", "note/test/b"], await _store.Live());
        Assert.Equal(0, _store.Unfinished);
    }
}

/// <summary>Keeps the writer's thread busy until disposed, so that what is asked meanwhile shares one transaction.</summary>
internal sealed class HeldWriter : IDisposable
{
    private readonly ManualResetEventSlim _go = new();
    private readonly ManualResetEventSlim _held = new();

    public HeldWriter(JournalStore store)
    {
        _ = store.ChangeAsync(_ =>
        {
            _held.Set();
            _go.Wait();
            return true;
        }, CancellationToken.None);
        _held.Wait();
    }

    public void Dispose() => _go.Set();
}
