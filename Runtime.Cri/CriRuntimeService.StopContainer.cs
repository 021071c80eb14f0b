using Grpc.Core;
using Runtime.Actors.Containers;
using Runtime.Cri.Mapping;
using Runtime.Cri.V1;

namespace Runtime.Cri;

public sealed partial class CriRuntimeService
{
    /// <summary>Succeeds for a container that does not run or is unknown. Past the caller's deadline the stop goes on.</summary>
    public override async Task<StopContainerResponse> StopContainer(StopContainerRequest request, ServerCallContext context)
    {
        var grace = WireTime.Seconds(request.Timeout, "timeout");
        var id = _ids.FindContainer(request.ContainerId)?.Id ?? request.ContainerId;
        await edge.AskAsync<ContainerStopped>(new StopContainer(Space, id, grace), context.CancellationToken);
        return new StopContainerResponse();
    }

    /// <summary>Succeeds for an unknown container.</summary>
    public override async Task<RemoveContainerResponse> RemoveContainer(
        RemoveContainerRequest request, ServerCallContext context)
    {
        var id = _ids.FindContainer(request.ContainerId)?.Id ?? request.ContainerId;
        await edge.AskAsync<ContainerRemoved>(new RemoveContainer(Space, id), context.CancellationToken);
        return new RemoveContainerResponse();
    }
}
