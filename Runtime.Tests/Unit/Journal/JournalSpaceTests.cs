using Runtime.Actors.Journal;
using Runtime.Faults;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Journal;

/// <summary>No space left, by SQLite's own limit of pages; the integration tests do the same with a full file system.</summary>
public sealed class JournalSpaceTests : IAsyncLifetime
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
    public async Task Without_space_a_batch_is_refused_whole_and_the_journal_goes_on_when_there_is_room()
    {
        await _store.Append("note/test/a", 1);
        await LimitPagesAsync(20);

        var sequence = 1L;
        RuntimeFault? fault = null;
        while (fault is null)
        {
            try
            {
                await AppendLargeAsync("note/test/a", sequence + 1, sequence + 2);
                sequence += 2;
            }
            catch (FaultException full)
            {
                fault = full.Fault;
            }
        }

        Assert.Equal((FaultKind.ResourceExhausted, "journal.disk-full"), (fault.Kind, fault.Code));
        Assert.Equal(sequence, await _store.Highest("note/test/a"));
        Assert.Equal(sequence, (await _store.History("a"))[^1].Sequence);
        await LimitPagesAsync(100_000);
        await AppendLargeAsync("note/test/a", sequence + 1, sequence + 2);
        Assert.Equal(sequence + 2, await _store.Highest("note/test/a"));
    }

    [Fact]
    public async Task Without_space_for_a_large_batch_a_small_neighbour_is_still_stored()
    {
        await _store.Append("note/test/a", 1);
        await LimitPagesAsync(20);
        Task large, small;
        using (var held = new HeldWriter(_store))
        {
            large = AppendLargeAsync("note/test/large", [.. Enumerable.Range(1, 40).Select(n => (long)n)]);
            small = _store.Append("note/test/small", 1);
        }
        await small;
        Assert.Equal("journal.disk-full", (await StoreCalls.Fault(() => large)).Code);
        Assert.Equal(["note/test/a", "note/test/small"], await _store.Live());
    }

    private Task AppendLargeAsync(string persistenceId, params long[] sequences) => _store.AppendAsync(
        persistenceId, [.. sequences.Select(n => StoreCalls.Event(n, payload: $"\"{new string('x', 3000)}\""))],
        StoreCalls.Noon, TestContext.Current.CancellationToken);

    private Task<bool> LimitPagesAsync(int pages) => _store.ChangeAsync(session =>
    {
        JournalFile.Execute(session.Connection, $"PRAGMA max_page_count = {pages}");
        return true;
    }, TestContext.Current.CancellationToken);
}
