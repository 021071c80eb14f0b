using Runtime.Faults;
using Runtime.Ttrpc.Rpc;

namespace Runtime.Actors.Shims;

/// <summary>The one connection to a shim, shared by all who call it and made again when it breaks.</summary>
public sealed class ShimConnection(string address, TimeSpan timeout)
{
    private readonly SemaphoreSlim _connecting = new(1);
    private TtrpcClient? _client;

    public string Address => address;

    /// <exception cref="FaultException">Unavailable, <c>shim.dead</c>: nobody answers on the socket.</exception>
    public async Task<TtrpcClient> GetAsync(CancellationToken cancellation)
    {
        if (Volatile.Read(ref _client) is { IsClosed: false } open) return open;
        await _connecting.WaitAsync(cancellation);
        try
        {
            if (_client is { IsClosed: false } other) return other;
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(timeout);
            if (_client is { } broken) await broken.DisposeAsync();
            _client = null;
            var client = await TtrpcClient.ConnectAsync(address, limit.Token);
            Volatile.Write(ref _client, client);
            return client;
        }
        catch (FaultException unreachable) when (unreachable.Fault.Code == "ttrpc.unreachable")
        {
            throw new FaultException(FaultKind.Unavailable, "shim.dead", $"The shim at {address} is dead: {unreachable.Message}", unreachable);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new FaultException(FaultKind.DeadlineExceeded, "shim.timeout", $"The shim at {address} did not take a connection within {timeout}.");
        }
        finally
        {
            _connecting.Release();
        }
    }
}
