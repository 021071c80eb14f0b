using Microsoft.Extensions.Hosting;
using Runtime.Actors;
using Runtime.Actors.Namespaces;
using Runtime.Api;
using Runtime.Api.Edge;
using Runtime.Cri.Streaming;
using Runtime.Cri.V1;

namespace Runtime.Cri;

/// <summary>
/// runtime.v1.RuntimeService: pods and containers for the kubelet. Translates requests to commands and views to
/// responses; it holds no state. One file per call, or per family of short ones.
/// </summary>
public sealed partial class CriRuntimeService(
    RuntimeDomain domain, ActorEdge edge, ApiOptions options, StreamingServer streaming, TimeProvider clock,
    IHostApplicationLifetime lifetime)
    : RuntimeService.RuntimeServiceBase
{
    private readonly CriIds _ids = new(domain);
    private readonly PodChanges _pods = new(domain);

    /// <summary>Where all of Kubernetes' objects live.</summary>
    private static NamespaceName Space => NamespaceName.Kubernetes;

    private Runtime.Actors.Shims.RuntimeHandler? HandlerOf(string name) =>
        options.Handlers.ByName.GetValueOrDefault(name.Length > 0 ? name : options.Handlers.DefaultName);
}
