using Grpc.Core;
using Runtime.Actors.Containers;
using Runtime.Cri.Mapping;
using Runtime.Cri.V1;

namespace Runtime.Cri;

public sealed partial class CriRuntimeService
{
    /// <summary>A retry for the same sandbox, name and attempt joins the first call. The sandbox's config is the one it was run with.</summary>
    public override async Task<CreateContainerResponse> CreateContainer(
        CreateContainerRequest request, ServerCallContext context)
    {
        var config = ContainerMapping.FromWire(request.Config);
        var sandbox = _ids.Sandbox(request.PodSandboxId);
        var created = await edge.AskAsync<ContainerCreated>(
            new CreateContainer(Space, CriIds.New(), sandbox.Id, config), context.CancellationToken);
        return new CreateContainerResponse { ContainerId = created.ContainerId };
    }
}
