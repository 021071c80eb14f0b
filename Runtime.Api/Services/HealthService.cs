using Grpc.Core;
using Grpc.Health.V1;
using Microsoft.Extensions.Hosting;
using Runtime.Api.Edge;
using Runtime.Faults;
using Health = Grpc.Health.V1.Health;

namespace Runtime.Api.Services;

/// <summary>grpc.health.v1: serving from the moment that the daemon has started until it stops. dockerd waits for it.</summary>
public sealed class HealthService(IHostApplicationLifetime lifetime) : Health.HealthBase
{
    public override Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context) =>
        Task.FromResult(new HealthCheckResponse { Status = StatusOf(request.Service) });

    public override async Task Watch(
        HealthCheckRequest request, IServerStreamWriter<HealthCheckResponse> responseStream, ServerCallContext context)
    {
        using var ending = StreamEnd.Of(context, lifetime);
        await ending.GuardAsync(async () =>
        {
            await responseStream.WriteAsync(new HealthCheckResponse { Status = StatusOf(request.Service) }, ending.Token);
            await StartedAsync(ending.Token);
            await responseStream.WriteAsync(new HealthCheckResponse { Status = StatusOf(request.Service) }, ending.Token);
            await Task.Delay(Timeout.InfiniteTimeSpan, ending.Token);
        });
    }

    // One process, one state: a service is as healthy as the daemon.
    private HealthCheckResponse.Types.ServingStatus StatusOf(string service)
    {
        if (service.Length > 0 && service != "runtime.v1.RuntimeService" && service != "runtime.v1.ImageService")
            throw new FaultException(FaultKind.NotFound, "health.unknown-service", $"unknown service \"{service}\"");
        return lifetime.ApplicationStarted.IsCancellationRequested && !lifetime.ApplicationStopping.IsCancellationRequested
            ? HealthCheckResponse.Types.ServingStatus.Serving
            : HealthCheckResponse.Types.ServingStatus.NotServing;
    }

    private async Task StartedAsync(CancellationToken cancellation)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(cancellation);
    }
}
