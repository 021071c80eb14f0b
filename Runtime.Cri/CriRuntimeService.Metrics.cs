using Grpc.Core;
using Runtime.Cri.Mapping;
using Runtime.Cri.V1;

namespace Runtime.Cri;

public sealed partial class CriRuntimeService
{
    public override Task<ListMetricDescriptorsResponse> ListMetricDescriptors(
        ListMetricDescriptorsRequest request, ServerCallContext context)
    {
        var response = new ListMetricDescriptorsResponse();
        response.Descriptors.AddRange(MetricMapping.Descriptors);
        return Task.FromResult(response);
    }

    public override Task<ListPodSandboxMetricsResponse> ListPodSandboxMetrics(
        ListPodSandboxMetricsRequest request, ServerCallContext context)
    {
        var response = new ListPodSandboxMetricsResponse();
        response.PodMetrics.AddRange(Metrics());
        return Task.FromResult(response);
    }

    public override async Task StreamPodSandboxMetrics(
        StreamPodSandboxMetricsRequest request, IServerStreamWriter<StreamPodSandboxMetricsResponse> responseStream,
        ServerCallContext context)
    {
        // A pod has some hundred metrics: some 50 KiB.
        foreach (var batch in Metrics().Chunk(StreamBatch / 10))
        {
            var response = new StreamPodSandboxMetricsResponse();
            response.PodSandboxMetrics.AddRange(batch);
            await responseStream.WriteAsync(response, context.CancellationToken);
        }
    }

    private IEnumerable<PodSandboxMetrics> Metrics()
    {
        var containers = ContainersBySandbox();
        foreach (var view in domain.Sandboxes.In(Space).Values.Where(SandboxMapping.IsListed))
        {
            if (domain.Statistics.Find(Space, view) is not { } usage) continue;
            var metrics = MetricMapping.ToWire(view, usage);
            foreach (var container in containers[view.Id])
                if (domain.Statistics.Find(Space, container) is { } used)
                    metrics.ContainerMetrics.Add(MetricMapping.ToWire(view, container, used));
            yield return metrics;
        }
    }
}
