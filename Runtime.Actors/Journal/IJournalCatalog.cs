namespace Runtime.Actors.Journal;

/// <summary>Which entities the journal knows, without replaying them. Managers recover from it.</summary>
public interface IJournalCatalog
{
    /// <summary>
    /// Persistence ids that start with <paramref name="prefix"/>, have at least one event, and have not ended
    /// (see <see cref="JournalType.EndsEntity"/>).
    /// </summary>
    Task<IReadOnlyList<string>> LiveAsync(string prefix, CancellationToken cancellation);
}
