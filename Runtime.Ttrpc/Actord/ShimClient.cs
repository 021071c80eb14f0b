using Runtime.Ttrpc.Rpc;
using Runtime.Ttrpc.Wire;

namespace Runtime.Ttrpc.Actord;

/// <summary>Calls what only our own shim has: <c>actord.shim.v1.Shim</c>. Unimplemented from any other.</summary>
public sealed class ShimClient(TtrpcClient client)
{
    public const string Service = "actord.shim.v1.Shim";

    /// <summary>The log goes on in a new file at its path. When this returns, the old file does not grow any more.</summary>
    public Task ReopenLogAsync(string containerId, CallOptions options, CancellationToken cancellation) =>
        client.CallAsync<ReopenLogRequest, Empty>(
            Service, "ReopenLog", new() { ContainerId = containerId }, options.Namespace, options.Timeout, cancellation);
}
