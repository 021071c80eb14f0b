using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Runtime.Faults;

namespace Runtime.Api.Edge;

/// <summary>Ends a stream without an end of its own when its caller goes, or when the daemon stops: Kestrel would wait for it.</summary>
public sealed class StreamEnd : IDisposable
{
    private readonly CancellationTokenSource _ending;
    private readonly CancellationToken _stopping;

    private StreamEnd(CancellationToken caller, CancellationToken stopping)
    {
        _stopping = stopping;
        _ending = CancellationTokenSource.CreateLinkedTokenSource(caller, stopping);
    }

    public CancellationToken Token => _ending.Token;

    public static StreamEnd Of(ServerCallContext context, IHostApplicationLifetime lifetime) =>
        new(context.CancellationToken, lifetime.ApplicationStopping);

    /// <exception cref="FaultException">Unavailable when the daemon stops: the client comes back.</exception>
    public async Task GuardAsync(Func<Task> stream)
    {
        try
        {
            await stream();
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            throw new FaultException(FaultKind.Unavailable, "daemon.stopping", "The daemon is stopping.");
        }
    }

    public void Dispose() => _ending.Dispose();
}
