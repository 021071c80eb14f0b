using Grpc.Core;
using Runtime.Actors.Containers;
using Runtime.Cri.Mapping;
using Runtime.Cri.V1;

namespace Runtime.Cri;

public sealed partial class CriRuntimeService
{
    public override Task<ListContainersResponse> ListContainers(ListContainersRequest request, ServerCallContext context)
    {
        var response = new ListContainersResponse();
        response.Containers.AddRange(Containers(request.Filter).Select(ContainerMapping.ToItem));
        return Task.FromResult(response);
    }

    public override async Task StreamContainers(
        StreamContainersRequest request, IServerStreamWriter<StreamContainersResponse> responseStream, ServerCallContext context)
    {
        foreach (var batch in Containers(request.Filter).Chunk(StreamBatch))
        {
            var response = new StreamContainersResponse();
            response.Containers.AddRange(batch.Select(ContainerMapping.ToItem));
            await responseStream.WriteAsync(response, context.CancellationToken);
        }
    }

    private IEnumerable<ContainerView> Containers(ContainerFilter? filter)
    {
        var listed = domain.Containers.In(Space).Values.Where(ContainerMapping.IsListed);
        if (filter is null) return listed;
        return listed.Where(view =>
            view.Id.StartsWith(filter.Id, StringComparison.Ordinal) &&
            view.SandboxId.StartsWith(filter.PodSandboxId, StringComparison.Ordinal) &&
            (filter.State is null || filter.State.State == ContainerMapping.StateOf(view)) &&
            HasLabels(view.Config.Labels, filter.LabelSelector));
    }
}
