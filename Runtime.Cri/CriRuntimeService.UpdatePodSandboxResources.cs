using Grpc.Core;
using Runtime.Actors.Sandboxes;
using Runtime.Cri.Mapping;
using Runtime.Cri.V1;

namespace Runtime.Cri;

public sealed partial class CriRuntimeService
{
    /// <summary>Recorded and shown: the pod's cgroup is the kubelet's, who has written it already.</summary>
    public override async Task<UpdatePodSandboxResourcesResponse> UpdatePodSandboxResources(
        UpdatePodSandboxResourcesRequest request, ServerCallContext context)
    {
        var sandbox = _ids.Sandbox(request.PodSandboxId);
        var overhead = ContainerMapping.FromWire(request.Overhead, "overhead");
        var resources = ContainerMapping.FromWire(request.Resources, "resources");
        await edge.AskAsync<SandboxUpdated>(
            new UpdateSandbox(Space, sandbox.Id, overhead, resources), context.CancellationToken);
        return new UpdatePodSandboxResourcesResponse();
    }
}
