using System.Collections.Immutable;
using Google.Protobuf.Collections;
using Grpc.Core;
using Runtime.Actors.Sandboxes;
using Runtime.Cri.Mapping;
using Runtime.Cri.V1;

namespace Runtime.Cri;

public sealed partial class CriRuntimeService
{
    /// <summary>Items of one message of a streamed list: well below the largest message, whatever their annotations.</summary>
    private const int StreamBatch = 500;

    public override Task<ListPodSandboxResponse> ListPodSandbox(ListPodSandboxRequest request, ServerCallContext context)
    {
        var response = new ListPodSandboxResponse();
        response.Items.AddRange(Sandboxes(request.Filter).Select(SandboxMapping.ToItem));
        return Task.FromResult(response);
    }

    public override async Task StreamPodSandboxes(
        StreamPodSandboxesRequest request, IServerStreamWriter<StreamPodSandboxesResponse> responseStream,
        ServerCallContext context)
    {
        foreach (var batch in Sandboxes(request.Filter).Chunk(StreamBatch))
        {
            var response = new StreamPodSandboxesResponse();
            response.PodSandboxes.AddRange(batch.Select(SandboxMapping.ToItem));
            await responseStream.WriteAsync(response, context.CancellationToken);
        }
    }

    private IEnumerable<SandboxView> Sandboxes(PodSandboxFilter? filter)
    {
        var listed = domain.Sandboxes.In(Space).Values.Where(SandboxMapping.IsListed);
        if (filter is null) return listed;
        return listed.Where(view =>
            view.Id.StartsWith(filter.Id, StringComparison.Ordinal) &&
            (filter.State is null || filter.State.State == SandboxMapping.StateOf(view)) &&
            HasLabels(view.Config.Labels, filter.LabelSelector));
    }

    private static bool HasLabels(ImmutableSortedDictionary<string, string> labels, MapField<string, string> wanted)
    {
        foreach (var (key, value) in wanted)
            if (!labels.TryGetValue(key, out var actual) || actual != value) return false;
        return true;
    }
}
