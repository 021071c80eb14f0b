using Grpc.Core;
using Runtime.Actors.Containers;
using Runtime.Cri.V1;

namespace Runtime.Cri;

public sealed partial class CriRuntimeService
{
    public override async Task<StartContainerResponse> StartContainer(StartContainerRequest request, ServerCallContext context)
    {
        var view = _ids.Container(request.ContainerId);
        await edge.AskAsync<ContainerStarted>(new StartContainer(Space, view.Id), context.CancellationToken);
        return new StartContainerResponse();
    }
}
