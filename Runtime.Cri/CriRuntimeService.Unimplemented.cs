using Grpc.Core;
using Runtime.Cri.V1;
using Runtime.Faults;

namespace Runtime.Cri;

/// <summary>What is not there yet says so, and why: the kubelet falls back, a person knows where to look.</summary>
public sealed partial class CriRuntimeService
{
    public override Task<UpdatePodSandboxResourcesResponse> UpdatePodSandboxResources(
        UpdatePodSandboxResourcesRequest request, ServerCallContext context) =>
        throw Lacking("recording the resources of a sandbox");

    public override Task GetContainerEvents(
        GetEventsRequest request, IServerStreamWriter<ContainerEventResponse> responseStream, ServerCallContext context) =>
        throw Lacking("the stream of container events; the kubelet lists instead");

    public override Task<ListMetricDescriptorsResponse> ListMetricDescriptors(
        ListMetricDescriptorsRequest request, ServerCallContext context) => throw Lacking("metrics over CRI");

    public override Task<ListPodSandboxMetricsResponse> ListPodSandboxMetrics(
        ListPodSandboxMetricsRequest request, ServerCallContext context) => throw Lacking("metrics over CRI");

    public override Task StreamPodSandboxMetrics(
        StreamPodSandboxMetricsRequest request, IServerStreamWriter<StreamPodSandboxMetricsResponse> responseStream,
        ServerCallContext context) => throw Lacking("metrics over CRI");

    private static FaultException Lacking(string what) =>
        new(FaultKind.Unimplemented, "cri.unimplemented", $"This runtime does not have {what}.");
}
