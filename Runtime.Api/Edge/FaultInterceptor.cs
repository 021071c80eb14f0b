using System.Diagnostics;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Logging;
using Runtime.Faults;

namespace Runtime.Api.Edge;

/// <summary>Around every call: turns what went wrong into a gRPC status, logs it once, and measures.</summary>
public sealed partial class FaultInterceptor(
    OperationMetrics metrics, TimeProvider clock, ILogger<FaultInterceptor> logger) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        var began = Stopwatch.GetTimestamp();
        try
        {
            return await continuation(request, context);
        }
        // Whatever it is becomes the call's status: the process goes on for the other callers.
        catch (Exception cause)
        {
            throw Report(cause, context);
        }
        finally
        {
            metrics.Took(context.Method, Stopwatch.GetElapsedTime(began));
        }
    }

    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context,
        ClientStreamingServerMethod<TRequest, TResponse> continuation) =>
        GuardAsync(() => continuation(requestStream, context), context);

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
        GuardAsync(
            async () =>
            {
                await continuation(request, responseStream, context);
                return true;
            },
            context);

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context, DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        GuardAsync(
            async () =>
            {
                await continuation(requestStream, responseStream, context);
                return true;
            },
            context);

    // A stream's length says how long somebody listened, not how slow we are: it is not measured.
    private async Task<T> GuardAsync<T>(Func<Task<T>> call, ServerCallContext context)
    {
        try
        {
            return await call();
        }
        catch (Exception cause)
        {
            throw Report(cause, context);
        }
    }

    private RpcException Report(Exception cause, ServerCallContext context)
    {
        if (cause is RpcException known)
        {
            metrics.Failed(context.Method);
            return known;
        }
        var fault = FaultStatus.Bounded(FaultOf(cause, context));
        metrics.Failed(context.Method);
        switch (fault.Kind)
        {
            case FaultKind.Unknown or FaultKind.Internal or FaultKind.DataLoss:
                LogDefect(context.Method, fault.Code, fault.Message, cause);
                break;
            case FaultKind.NotFound or FaultKind.Cancelled or FaultKind.Unimplemented:
                LogRefused(context.Method, fault.Kind, fault.Code, fault.Message);
                break;
            default:
                LogFailed(context.Method, fault.Kind, fault.Code, fault.Message);
                break;
        }
        return FaultStatus.ToRpcException(fault);
    }

    /// <summary>What a caller that is gone, or a deadline that passed, makes of any failure; else the failure's own fault.</summary>
    private RuntimeFault FaultOf(Exception cause, ServerCallContext context)
    {
        if (cause is FaultException known && known.Fault.Kind != FaultKind.Cancelled) return known.Fault;
        if (context.CancellationToken.IsCancellationRequested)
        {
            return context.Deadline <= clock.GetUtcNow().UtcDateTime
                ? new(FaultKind.DeadlineExceeded, "call.deadline-exceeded", "The caller's deadline passed.")
                : new(FaultKind.Cancelled, "call.cancelled", "The caller cancelled the call.");
        }
        return RuntimeFault.From(cause);
    }
}
