using Grpc.Core;
using Runtime.Actors.Containers;
using Runtime.Cri.Mapping;
using Runtime.Cri.V1;

namespace Runtime.Cri;

public sealed partial class CriRuntimeService
{
    /// <summary>Of a container that does not run: the writable layer alone; of one that was never started: its attributes.</summary>
    public override Task<ContainerStatsResponse> ContainerStats(ContainerStatsRequest request, ServerCallContext context)
    {
        var view = _ids.Container(request.ContainerId);
        return Task.FromResult(new ContainerStatsResponse
        {
            Stats = UsageMapping.ToWire(view, domain.Statistics.Find(Space, view)),
        });
    }

    public override Task<ListContainerStatsResponse> ListContainerStats(
        ListContainerStatsRequest request, ServerCallContext context)
    {
        var response = new ListContainerStatsResponse();
        response.Stats.AddRange(StatsOf(request.Filter));
        return Task.FromResult(response);
    }

    public override async Task StreamContainerStats(
        StreamContainerStatsRequest request, IServerStreamWriter<StreamContainerStatsResponse> responseStream,
        ServerCallContext context)
    {
        foreach (var batch in StatsOf(request.Filter).Chunk(StreamBatch))
        {
            var response = new StreamContainerStatsResponse();
            response.ContainerStats.AddRange(batch);
            await responseStream.WriteAsync(response, context.CancellationToken);
        }
    }

    /// <summary>Containers that have been started. One whose cgroup has just gone is left out; the list never fails for it.</summary>
    private IEnumerable<ContainerStats> StatsOf(ContainerStatsFilter? filter)
    {
        var listed = domain.Containers.In(Space).Values.Where(ContainerMapping.IsListed);
        if (filter is not null)
        {
            listed = listed.Where(view =>
                view.Id.StartsWith(filter.Id, StringComparison.Ordinal) &&
                view.SandboxId.StartsWith(filter.PodSandboxId, StringComparison.Ordinal) &&
                HasLabels(view.Config.Labels, filter.LabelSelector));
        }
        return StatsOf(listed);
    }

    private IEnumerable<ContainerStats> StatsOf(IEnumerable<ContainerView> views)
    {
        foreach (var view in views)
            if (domain.Statistics.Find(Space, view) is { } usage) yield return UsageMapping.ToWire(view, usage);
    }
}
