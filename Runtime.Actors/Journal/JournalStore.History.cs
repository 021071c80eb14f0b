using System.Runtime.CompilerServices;
using Runtime.Faults;

namespace Runtime.Actors.Journal;

public sealed partial class JournalStore
{
    private const int HistoryPage = 256; // events read at once; bounds the memory of a long history
    private const int PrefixMin = 4; // characters; a shorter one is a typing mistake, not a choice

    /// <inheritdoc/>
    public async IAsyncEnumerable<JournalEntry> HistoryAsync(
        string id, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var entityId = await _readers.ReadAsync(queries => Resolve(queries, id), cancellation).ConfigureAwait(false);
        for (var after = 0L; ;)
        {
            var page = await _readers.ReadAsync(queries => queries.History(entityId, after, HistoryPage), cancellation)
                .ConfigureAwait(false);
            foreach (var entry in page) yield return entry;
            if (page.Count < HistoryPage) yield break;
            after = page[^1].Ordering;
        }
    }

    // An id may stand for several kinds (a container and its task): that is one answer, not an ambiguity.
    private static string Resolve(JournalQueries queries, string id)
    {
        if (queries.Knows(id)) return id;
        if (id.Length < PrefixMin)
            throw new FaultException(FaultKind.InvalidArgument, "history.short-prefix",
                $"\"{id}\" is nobody's id, and too short for a prefix: give at least {PrefixMin} characters.");
        var found = queries.EntityIds(id, 3);
        return found.Count switch
        {
            1 => found[0],
            0 => throw new FaultException(FaultKind.NotFound, "history.unknown-id",
                $"The journal knows no id \"{id}\", or its events are older than the journal keeps them."),
            _ => throw new FaultException(FaultKind.InvalidArgument, "history.ambiguous-prefix",
                $"\"{id}\" starts several ids ({string.Join(", ", found)}{(found.Count > 2 ? " ..." : "")}): give more characters."),
        };
    }
}
