using Runtime.Faults;

namespace Runtime.Actors.Journal;

/// <summary>One request to the writer. It is stored whole or not at all, whatever happens to others of its transaction.</summary>
internal abstract class JournalWork(CancellationToken cancellation)
{
    /// <summary>Bytes that it adds to a transaction, roughly.</summary>
    public virtual int Size => 0;

    /// <summary>Why it failed, once it has.</summary>
    public Exception? Failure { get; set; }

    public bool IsCancelled => cancellation.IsCancellationRequested;

    /// <summary>Runs inside a transaction; again from the start if that was undone for a neighbour's sake.</summary>
    public abstract void Run(JournalSession session);

    /// <summary>Answers the caller, once the transaction is committed or undone.</summary>
    public abstract void Complete(string path);
}

/// <summary>Stores the events of one atomic batch.</summary>
internal sealed class AppendWork(
    string persistenceId, IReadOnlyList<JournalEvent> events, long at, CancellationToken cancellation)
    : JournalWork(cancellation)
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Task => _done.Task;

    public override int Size { get; } = events.Sum(recorded => recorded.Payload.Length + 64);

    public override void Run(JournalSession session) => session.Append(persistenceId, events, at);

    public override void Complete(string path)
    {
        if (Failure is null) _done.SetResult();
        else if (Failure is OperationCanceledException) _done.SetCanceled(CancellationToken.None);
        else _done.SetException(JournalErrors.Map(Failure, path));
    }
}

/// <summary>Any other change.</summary>
internal sealed class ChangeWork<TResult>(Func<JournalSession, TResult> change, CancellationToken cancellation)
    : JournalWork(cancellation)
{
    private readonly TaskCompletionSource<TResult> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TResult? _result;

    public Task<TResult> Task => _done.Task;

    public override void Run(JournalSession session) => _result = change(session);

    public override void Complete(string path)
    {
        if (Failure is null) _done.SetResult(_result!);
        else if (Failure is OperationCanceledException) _done.SetCanceled(CancellationToken.None);
        else _done.SetException(JournalErrors.Map(Failure, path));
    }
}

/// <summary>Faults of the queue in front of the writer.</summary>
internal static class JournalQueueFaults
{
    public static FaultException Full(string path, int max) => new(FaultKind.ResourceExhausted, "journal.queue-full",
        $"Journal {path}: {max} requests wait for the disk already. Nothing was stored; try again.");

    public static FaultException Closed(string path) => new(FaultKind.Unavailable, "journal.closed",
        $"Journal {path} is closed: the daemon is stopping.");
}
