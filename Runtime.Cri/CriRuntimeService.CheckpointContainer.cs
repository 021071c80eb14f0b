using Grpc.Core;
using Runtime.Actors.Containers;
using Runtime.Cri.Mapping;
using Runtime.Cri.V1;

namespace Runtime.Cri;

public sealed partial class CriRuntimeService
{
    /// <summary>FailedPrecondition with CRIU's reason where the node cannot checkpoint. The container goes on.</summary>
    public override async Task<CheckpointContainerResponse> CheckpointContainer(
        CheckpointContainerRequest request, ServerCallContext context)
    {
        var container = _ids.Container(request.ContainerId);
        var location = RequestCheck.AbsolutePath(request.Location, "location");
        var image = container.ImageId.Length > 0 ? domain.Images.Find(Space, container.ImageId) : null;
        var status = InfoJson.OfStatus(ContainerMapping.ToStatus(container, image));
        await edge.AskAsync<ContainerCheckpointed>(
            new CheckpointContainer(Space, container.Id, Guid.NewGuid().ToString("N"), location, status), context.CancellationToken);
        return new CheckpointContainerResponse();
    }
}
