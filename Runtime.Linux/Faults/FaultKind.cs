namespace Runtime.Faults;

/// <summary>What kind of refusal a <see cref="RuntimeFault"/> is. Each maps to one gRPC status, in one place.</summary>
public enum FaultKind
{
    /// <summary>The cause is not known to this process: a bug, or a peer that did not say.</summary>
    Unknown,
    InvalidArgument,
    NotFound,
    AlreadyExists,
    FailedPrecondition,

    /// <summary>Trying again later can help: a peer that does not answer, a lock that is held.</summary>
    Unavailable,
    DeadlineExceeded,
    Cancelled,
    PermissionDenied,
    Unauthenticated,

    /// <summary>A limit was reached: disk, quota, rate, number of streams.</summary>
    ResourceExhausted,
    OutOfRange,
    Aborted,
    Unimplemented,

    /// <summary>Something that was stored is not what it was: a digest, a journal row.</summary>
    DataLoss,
    Internal,
}
