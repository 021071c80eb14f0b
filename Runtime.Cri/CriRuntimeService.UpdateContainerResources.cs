using Grpc.Core;
using Runtime.Actors.Containers;
using Runtime.Cri.Mapping;
using Runtime.Cri.V1;

namespace Runtime.Cri;

public sealed partial class CriRuntimeService
{
    /// <summary>Of a created or running container; annotations are for plugins that see the request, and there are none.</summary>
    public override async Task<UpdateContainerResourcesResponse> UpdateContainerResources(
        UpdateContainerResourcesRequest request, ServerCallContext context)
    {
        var container = _ids.Container(request.ContainerId);
        var resources = ContainerMapping.FromWire(RequestCheck.Present(request.Linux, "linux"))!;
        await edge.AskAsync<ContainerUpdated>(
            new UpdateContainer(Space, container.Id, Guid.NewGuid().ToString("N"), resources), context.CancellationToken);
        return new UpdateContainerResourcesResponse();
    }
}
