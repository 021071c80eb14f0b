using Grpc.Core;
using Runtime.Actors.Containers;
using Runtime.Actors.Sandboxes;
using Runtime.Actors.Statistics;
using Runtime.Cri.Mapping;
using Runtime.Cri.V1;
using Runtime.Faults;

namespace Runtime.Cri;

public sealed partial class CriRuntimeService
{
    /// <exception cref="FaultException">FailedPrecondition <c>sandbox.not-ready</c>: it uses nothing.</exception>
    public override Task<PodSandboxStatsResponse> PodSandboxStats(PodSandboxStatsRequest request, ServerCallContext context)
    {
        var view = _ids.Sandbox(request.PodSandboxId);
        if (domain.Statistics.Find(Space, view) is not { } usage)
            throw new FaultException(FaultKind.FailedPrecondition, "sandbox.not-ready", $"Sandbox {view.Id} is not ready: it uses nothing.");
        return Task.FromResult(new PodSandboxStatsResponse { Stats = StatsOf(view, usage, ContainersBySandbox()) });
    }

    public override Task<ListPodSandboxStatsResponse> ListPodSandboxStats(
        ListPodSandboxStatsRequest request, ServerCallContext context)
    {
        var response = new ListPodSandboxStatsResponse();
        response.Stats.AddRange(StatsOf(request.Filter));
        return Task.FromResult(response);
    }

    public override async Task StreamPodSandboxStats(
        StreamPodSandboxStatsRequest request, IServerStreamWriter<StreamPodSandboxStatsResponse> responseStream,
        ServerCallContext context)
    {
        foreach (var batch in StatsOf(request.Filter).Chunk(StreamBatch))
        {
            var response = new StreamPodSandboxStatsResponse();
            response.PodSandboxStats.AddRange(batch);
            await responseStream.WriteAsync(response, context.CancellationToken);
        }
    }

    private IEnumerable<PodSandboxStats> StatsOf(PodSandboxStatsFilter? filter)
    {
        var containers = ContainersBySandbox();
        foreach (var view in domain.Sandboxes.In(Space).Values.Where(SandboxMapping.IsListed))
        {
            if (filter is not null && !(view.Id.StartsWith(filter.Id, StringComparison.Ordinal)
                && HasLabels(view.Config.Labels, filter.LabelSelector))) continue;
            if (domain.Statistics.Find(Space, view) is { } usage) yield return StatsOf(view, usage, containers);
        }
    }

    private PodSandboxStats StatsOf(SandboxView view, PodUsage usage, ILookup<string, ContainerView> containers)
    {
        var running = containers[view.Id].Where(container => container.Phase == ContainerPhase.Running).ToArray();
        var processes = usage.Pod?.Processes
            ?? running.Sum(container => domain.Statistics.Find(Space, container)?.Cgroup?.Processes ?? 0);
        return UsageMapping.ToWire(view, usage, [.. StatsOf(running)], processes);
    }

    private ILookup<string, ContainerView> ContainersBySandbox() =>
        domain.Containers.In(Space).Values.Where(ContainerMapping.IsListed).ToLookup(view => view.SandboxId);
}
