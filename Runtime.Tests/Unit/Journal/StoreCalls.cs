using System.Text;
using Runtime.Actors.Journal;
using Runtime.Faults;
using Xunit;

namespace Runtime.Tests.Unit.Journal;

/// <summary>Short forms of the store's calls for tests that are about rows, not about events.</summary>
internal static class StoreCalls
{
    public static readonly DateTimeOffset Noon = new(2026, 3, 4, 12, 0, 0, TimeSpan.Zero);

    public static Task Append(this JournalStore store, string persistenceId, params long[] sequences) =>
        store.AppendAsync(persistenceId, [.. sequences.Select(sequence => Event(sequence))], Noon, TestContext.Current.CancellationToken);

    public static Task End(this JournalStore store, string persistenceId, long sequence, DateTimeOffset? at = null) =>
        store.AppendAsync(persistenceId, [Event(sequence, ends: true)], at ?? Noon, TestContext.Current.CancellationToken);

    public static JournalEvent Event(long sequence, bool ends = false, string? payload = null) => new(
        sequence, ends ? "note.closed.v1" : "note.noted.v1", Encoding.UTF8.GetBytes(payload ?? $$"""{"number":{{sequence}}}"""), ends);

    public static async Task<List<long>> Sequences(
        this JournalStore store, string persistenceId, long from = 0, long to = long.MaxValue, long max = long.MaxValue)
    {
        var found = new List<long>();
        await store.ReplayAsync(persistenceId, from, to, max, (sequence, _, _, payload) =>
        {
            Assert.Equal($$"""{"number":{{sequence}}}""", Encoding.UTF8.GetString(payload));
            found.Add(sequence);
        }, TestContext.Current.CancellationToken);
        return [.. found];
    }

    public static Task<long> Highest(this JournalStore store, string persistenceId) =>
        store.HighestSequenceAsync(persistenceId, TestContext.Current.CancellationToken);

    public static async Task<string[]> Live(this JournalStore store, string prefix = "note/") =>
        [.. await store.LiveAsync(prefix, TestContext.Current.CancellationToken)];

    public static async Task<JournalEntry[]> History(this JournalStore store, string id)
    {
        var found = new List<JournalEntry>();
        await foreach (var entry in store.HistoryAsync(id, TestContext.Current.CancellationToken)) found.Add(entry);
        return [.. found];
    }

    public static async Task<RuntimeFault> Fault(Func<Task> call) => (await Assert.ThrowsAsync<FaultException>(call)).Fault;

    public static RuntimeFault Fault(Action call) => Assert.Throws<FaultException>(call).Fault;
}
