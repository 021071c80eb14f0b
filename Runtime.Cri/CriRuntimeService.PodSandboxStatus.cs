using Grpc.Core;
using Runtime.Api.Services;
using Runtime.Cri.Mapping;
using Runtime.Cri.V1;

namespace Runtime.Cri;

public sealed partial class CriRuntimeService
{
    public override async Task<PodSandboxStatusResponse> PodSandboxStatus(
        PodSandboxStatusRequest request, ServerCallContext context)
    {
        // The time comes first: what the status shows is at least as new. The kubelet compares it with those of events.
        var at = clock.GetUtcNow();
        var view = _ids.Sandbox(request.PodSandboxId);
        var response = new PodSandboxStatusResponse { Status = SandboxMapping.ToStatus(view), Timestamp = WireTime.Nanoseconds(at) };
        response.ContainersStatuses.AddRange(_pods.StatusesOf(domain.Containers.In(Space), view.Id));
        if (!request.Verbose) return response;
        var spec = await BundleSpec.ReadAsync(options.Directories, Space, view.Id, context.CancellationToken);
        response.Info["info"] = InfoJson.OfSandbox(view, HandlerOf(view.RuntimeHandler), options.SandboxImage, spec);
        return response;
    }
}
