using Grpc.Core;
using Runtime.Faults;

namespace Runtime.Api.Edge;

/// <summary>What a fault looks like on the wire.</summary>
public static class FaultStatus
{
    /// <summary>Trailer with the stable code of the fault, for programs.</summary>
    public const string CodeTrailer = "actord-fault-code";

    /// <summary>
    /// Sized for the longest output of an OCI runtime or a plugin. A header has each of its bytes as three characters, and
    /// clients break the connection, with all its calls, at 64 KiB of headers.
    /// </summary>
    private const int MessageLengthMax = 4096;

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
        new(new Status(CodeOf(fault.Kind), Bounded(fault).Message), new Metadata { { CodeTrailer, fault.Code } });

    /// <summary>The fault with a message that a header and a line of a log can hold, whatever of a request it repeats.</summary>
    public static RuntimeFault Bounded(RuntimeFault fault)
    {
        if (fault.Message.Length <= MessageLengthMax) return fault;
        var length = char.IsHighSurrogate(fault.Message[MessageLengthMax - 1]) ? MessageLengthMax - 1 : MessageLengthMax;
        return fault with { Message = $"{fault.Message.AsSpan(0, length)}..." };
    }
}
