using Grpc.Core;
using Runtime.Faults;

namespace Runtime.Api.Edge;

/// <summary>What a fault looks like on the wire.</summary>
public static class FaultStatus
{
    /// <summary>Trailer with the stable code of the fault, for programs.</summary>
    public const string CodeTrailer = "actord-fault-code";

    /// <summary>The one switch from kinds to gRPC status codes.</summary>
    public static StatusCode CodeOf(FaultKind kind) => kind switch
    {
        FaultKind.InvalidArgument => StatusCode.InvalidArgument,
        FaultKind.NotFound => StatusCode.NotFound,
        FaultKind.AlreadyExists => StatusCode.AlreadyExists,
        FaultKind.FailedPrecondition => StatusCode.FailedPrecondition,
        FaultKind.Unavailable => StatusCode.Unavailable,
        FaultKind.DeadlineExceeded => StatusCode.DeadlineExceeded,
        FaultKind.Cancelled => StatusCode.Cancelled,
        FaultKind.PermissionDenied => StatusCode.PermissionDenied,
        FaultKind.Unauthenticated => StatusCode.Unauthenticated,
        FaultKind.ResourceExhausted => StatusCode.ResourceExhausted,
        FaultKind.OutOfRange => StatusCode.OutOfRange,
        FaultKind.Aborted => StatusCode.Aborted,
        FaultKind.Unimplemented => StatusCode.Unimplemented,
        FaultKind.DataLoss => StatusCode.DataLoss,
        FaultKind.Internal => StatusCode.Internal,
        _ => StatusCode.Unknown,
    };

    public static RpcException ToRpcException(RuntimeFault fault) =>
        new(new Status(CodeOf(fault.Kind), fault.Message), new Metadata { { CodeTrailer, fault.Code } });
}
