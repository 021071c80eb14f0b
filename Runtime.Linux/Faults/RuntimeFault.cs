namespace Runtime.Faults;

/// <summary>An expected failure, as a value.</summary>
/// <param name="Kind">Decides the gRPC status.</param>
/// <param name="Code">Stable and lower-case, <c>area.what-is-wrong</c>: for programs, tests and metrics.</param>
/// <param name="Message">For a person: what failed, for which id or path, and what would help.</param>
public sealed record RuntimeFault(FaultKind Kind, string Code, string Message)
{
    public FaultException ToException(Exception? cause = null) => new(this, cause);

    /// <summary>The fault that an exception stands for: its own where it carries one, a cancellation, or Unknown.</summary>
    public static RuntimeFault From(Exception cause) => cause switch
    {
        FaultException known => known.Fault,
        AggregateException { InnerException: { } inner } => From(inner),
        OperationCanceledException => new(FaultKind.Cancelled, "operation.cancelled", "The operation was cancelled."),
        TimeoutException => new(FaultKind.DeadlineExceeded, "operation.timeout", cause.Message),
        _ => new(FaultKind.Unknown, "operation.failed", $"{cause.GetType().Name}: {cause.Message}"),
    };
}
