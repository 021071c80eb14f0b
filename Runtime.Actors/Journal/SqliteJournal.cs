using System.Collections.Immutable;
using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;
using Akka.Persistence.Journal;
using Runtime.Actors.Chaos;
using Runtime.Faults;

namespace Runtime.Actors.Journal;

/// <summary>
/// The Akka.Persistence journal on <see cref="JournalStore"/>, selected by <see cref="JournalHocon"/>. A batch that
/// certainly was not stored (no space, not serializable) is rejected; anything else fails and stops the persistent actor.
/// </summary>
public sealed class SqliteJournal : AsyncWriteJournal
{
    private readonly JournalStore _store;
    private readonly JournalTypes _types;
    private readonly TimeProvider _clock;
    private readonly ChaosEngine _chaos = ChaosEngine.Of(Context.System);

    /// <param name="config">The plugin's section; its settings come through <see cref="JournalSetup"/>.</param>
#pragma warning disable IDE0060 // Akka's contract for plugins
    public SqliteJournal(Config config)
#pragma warning restore IDE0060
    {
        var setup = JournalSetup.Of(Context.System);
        (_store, _types, _clock) = (setup.Store, setup.Types, setup.Clock);
    }

    public override Task<long> ReadHighestSequenceNrAsync(
        string persistenceId, long fromSequenceNr, CancellationToken cancellationToken) =>
        _store.HighestSequenceAsync(persistenceId, cancellationToken);

    public override Task ReplayMessagesAsync(
        IActorContext context, string persistenceId, long fromSequenceNr, long toSequenceNr, long max,
        Action<IPersistentRepresentation> recoveryCallback)
    {
        if (max <= 0 || fromSequenceNr > toSequenceNr) return Task.CompletedTask;
        return _store.ReplayAsync(persistenceId, fromSequenceNr, toSequenceNr, max, Replay, CancellationToken.None);

        void Replay(long sequence, DateTimeOffset at, string manifest, ReadOnlySpan<byte> payload) =>
            recoveryCallback(new Persistent(
                _types.Read(manifest, payload, $"Event {sequence} of {persistenceId}"),
                sequence, persistenceId, manifest, isDeleted: false, ActorRefs.NoSender, writerGuid: "", at.Ticks));
    }

    protected override Task<IImmutableList<Exception?>> WriteMessagesAsync(
        IEnumerable<AtomicWrite> messages, CancellationToken cancellationToken)
    {
        var now = _clock.GetUtcNow();
        var writes = messages.Select(write => AppendAsync(write, now, cancellationToken)).ToArray();
        return writes.Length == 1 ? OutcomeAsync(writes[0]) : OutcomesAsync(writes);
    }

    protected override Task DeleteMessagesToAsync(
        string persistenceId, long toSequenceNr, CancellationToken cancellationToken) =>
        _store.DeleteToAsync(persistenceId, toSequenceNr, cancellationToken);

    private Task AppendAsync(AtomicWrite write, DateTimeOffset now, CancellationToken cancellation)
    {
        try
        {
            var batch = (IImmutableList<IPersistentRepresentation>)write.Payload;
            var events = new JournalEvent[batch.Count];
            for (var i = 0; i < events.Length; i++) events[i] = _types.Write(batch[i].SequenceNr, batch[i].Payload);
            return _chaos.IsOn
                ? AppendInChaosAsync(write.PersistenceId, events, now, cancellation)
                : _store.AppendAsync(write.PersistenceId, events, now, cancellation);
        }
        catch (FaultException cause)
        {
            return Task.FromException(cause);
        }
    }

    private async Task AppendInChaosAsync(string persistenceId, JournalEvent[] events, DateTimeOffset now, CancellationToken cancellation)
    {
        await StrikeAsync(ChaosPlace.Storing);
        await _store.AppendAsync(persistenceId, events, now, cancellation).ConfigureAwait(false);
        await StrikeAsync(ChaosPlace.Stored);

        async Task StrikeAsync(ChaosPlace place)
        {
            foreach (var recorded in events)
            {
                if (_chaos.At(place, recorded.Manifest, persistenceId) is not { } strike) continue;
                if (strike.Action is ChaosAction.Error) throw Refused(place, recorded.Manifest).ToException();
                await Task.Delay(strike.Delay, _clock, cancellation).ConfigureAwait(false);
            }
        }
    }

    // Before the commit it is certain that nothing was stored, as with a full disk; after it, nobody can know.
    private static RuntimeFault Refused(ChaosPlace place, string manifest) => place is ChaosPlace.Storing
        ? ChaosEngine.Injected(manifest) with { Kind = FaultKind.ResourceExhausted }
        : ChaosEngine.Injected(manifest);

    private static async Task<IImmutableList<Exception?>> OutcomesAsync(Task[] writes)
    {
        var outcomes = ImmutableArray.CreateBuilder<Exception?>(writes.Length);
        Exception? failure = null;
        foreach (var write in writes)
        {
            try
            {
                outcomes.Add(await RejectionAsync(write).ConfigureAwait(false));
            }
            // The others of this call are written or on their way: all must have their outcome before any is told.
            catch (Exception cause) when (cause is FaultException or OperationCanceledException)
            {
                failure ??= cause;
                outcomes.Add(cause);
            }
        }
        return failure is null
            ? outcomes.MoveToImmutable()
            : throw failure;
    }

    private static async Task<IImmutableList<Exception?>> OutcomeAsync(Task write) =>
        await RejectionAsync(write).ConfigureAwait(false) is { } rejection ? ImmutableArray.Create<Exception?>(rejection) : null!;

    private static async Task<Exception?> RejectionAsync(Task write)
    {
        try
        {
            await write.ConfigureAwait(false);
            return null;
        }
        catch (FaultException cause) when (JournalErrors.IsRejection(cause.Fault))
        {
            return cause;
        }
    }
}
