using Runtime.Faults;

namespace Runtime.Ttrpc.Rpc;

/// <summary>The numbers of google.rpc.Code, which ttrpc shares with gRPC, and our kinds.</summary>
public static class StatusCode
{
    public const int Ok = 0;

    public static int Of(FaultKind kind) => kind switch
    {
        FaultKind.Cancelled => 1,
        FaultKind.Unknown => 2,
        FaultKind.InvalidArgument => 3,
        FaultKind.DeadlineExceeded => 4,
        FaultKind.NotFound => 5,
        FaultKind.AlreadyExists => 6,
        FaultKind.PermissionDenied => 7,
        FaultKind.ResourceExhausted => 8,
        FaultKind.FailedPrecondition => 9,
        FaultKind.Aborted => 10,
        FaultKind.OutOfRange => 11,
        FaultKind.Unimplemented => 12,
        FaultKind.Internal => 13,
        FaultKind.Unavailable => 14,
        FaultKind.DataLoss => 15,
        FaultKind.Unauthenticated => 16,
        _ => 2,
    };

    public static FaultKind KindOf(int code) => code switch
    {
        1 => FaultKind.Cancelled,
        3 => FaultKind.InvalidArgument,
        4 => FaultKind.DeadlineExceeded,
        5 => FaultKind.NotFound,
        6 => FaultKind.AlreadyExists,
        7 => FaultKind.PermissionDenied,
        8 => FaultKind.ResourceExhausted,
        9 => FaultKind.FailedPrecondition,
        10 => FaultKind.Aborted,
        11 => FaultKind.OutOfRange,
        12 => FaultKind.Unimplemented,
        13 => FaultKind.Internal,
        14 => FaultKind.Unavailable,
        15 => FaultKind.DataLoss,
        16 => FaultKind.Unauthenticated,
        _ => FaultKind.Unknown,
    };
}
