using Akka.Configuration;
using Akka.Persistence;
using Akka.Persistence.Snapshot;

namespace Runtime.Actors.Journal;

/// <summary>The Akka.Persistence snapshot store in the same file, selected by <see cref="JournalHocon"/>.</summary>
public sealed class SqliteSnapshotStore : SnapshotStore
{
    private readonly JournalStore _store;
    private readonly JournalTypes _types;

    /// <param name="config">The plugin's section; its settings come through <see cref="JournalSetup"/>.</param>
#pragma warning disable IDE0060 // Akka's contract for plugins
    public SqliteSnapshotStore(Config config)
#pragma warning restore IDE0060
    {
        var setup = JournalSetup.Of(Context.System);
        (_store, _types) = (setup.Store, setup.Types);
    }

    protected override async Task<SelectedSnapshot?> LoadAsync(
        string persistenceId, SnapshotSelectionCriteria criteria, CancellationToken cancellationToken)
    {
        var found = await _store.LoadSnapshotAsync(persistenceId, RangeOf(criteria), cancellationToken).ConfigureAwait(false);
        return found is null
            ? null
            : new SelectedSnapshot(
                new SnapshotMetadata(persistenceId, found.Sequence, found.At.UtcDateTime),
                _types.Read(found.Manifest, found.Payload.Span, $"Snapshot {found.Sequence} of {persistenceId}"));
    }

    protected override Task SaveAsync(SnapshotMetadata metadata, object snapshot, CancellationToken cancellationToken)
    {
        var written = _types.Write(metadata.SequenceNr, snapshot);
        return _store.SaveSnapshotAsync(
            metadata.PersistenceId,
            new JournalSnapshot(metadata.SequenceNr, AtOf(metadata.Timestamp), written.Manifest, written.Payload),
            cancellationToken);
    }

    // Akka's documentation: without a timestamp the sequence number alone decides.
    protected override Task DeleteAsync(SnapshotMetadata metadata, CancellationToken cancellationToken)
    {
        var range = JournalSnapshotRange.All with { SequenceMin = metadata.SequenceNr, SequenceMax = metadata.SequenceNr };
        if (metadata.Timestamp != DateTime.MinValue)
            range = range with { AtMin = AtOf(metadata.Timestamp), AtMax = AtOf(metadata.Timestamp) };
        return _store.DeleteSnapshotsAsync(metadata.PersistenceId, range, cancellationToken);
    }

    protected override Task DeleteAsync(
        string persistenceId, SnapshotSelectionCriteria criteria, CancellationToken cancellationToken) =>
        _store.DeleteSnapshotsAsync(persistenceId, RangeOf(criteria), cancellationToken);

    private static JournalSnapshotRange RangeOf(SnapshotSelectionCriteria criteria) => new(
        criteria.MinSequenceNr, criteria.MaxSequenceNr,
        AtOf(criteria.MinTimestamp ?? DateTime.MinValue), AtOf(criteria.MaxTimeStamp));

    private static DateTimeOffset AtOf(DateTime time) => new(DateTime.SpecifyKind(time, DateTimeKind.Utc));
}
