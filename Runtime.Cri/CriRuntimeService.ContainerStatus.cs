using Grpc.Core;
using Runtime.Api.Services;
using Runtime.Cri.Mapping;
using Runtime.Cri.V1;

namespace Runtime.Cri;

public sealed partial class CriRuntimeService
{
    public override async Task<ContainerStatusResponse> ContainerStatus(
        ContainerStatusRequest request, ServerCallContext context)
    {
        var view = _ids.Container(request.ContainerId);
        var image = view.ImageId.Length > 0 ? domain.Images.Find(Space, view.ImageId) : null;
        var response = new ContainerStatusResponse { Status = ContainerMapping.ToStatus(view, image) };
        if (!request.Verbose) return response;
        var spec = await BundleSpec.ReadAsync(options.Directories, Space, view.Id, context.CancellationToken);
        response.Info["info"] = InfoJson.OfContainer(view, HandlerOf(view.RuntimeHandler), spec);
        return response;
    }
}
