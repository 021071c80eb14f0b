using Containerd.Services.Diff.V1;
using Grpc.Core;
using Runtime.Actors.Diffs;
using Runtime.Actors.Entities;
using Runtime.Api.Edge;
using Runtime.Oci.Images;

namespace Runtime.Api.Services;

/// <summary>containerd.services.diff.v1: layers as archives into mounts, and out of them.</summary>
public sealed class DiffService(ILayerDiffer differ) : Diff.DiffBase
{
    public override async Task<ApplyResponse> Apply(ApplyRequest request, ServerCallContext context)
    {
        var applied = await differ.ApplyAsync(
            NamespaceHeader.Of(context), DescriptorMessages.Parse(request.Diff), MountMessages.Parse(request.Mounts), request.SyncFs,
            context.CancellationToken);
        return new ApplyResponse { Applied = DescriptorMessages.Of(applied) };
    }

    public override async Task<DiffResponse> Diff(DiffRequest request, ServerCallContext context)
    {
        var diff = new LayerDiff(MountMessages.Parse(request.Left), MountMessages.Parse(request.Right))
        {
            MediaType = request.MediaType.Length > 0 ? request.MediaType : MediaTypes.OciLayerGzip,
            Reference = request.Ref,
            Labels = Labels.Parse(request.Labels),
            NewestTime = request.SourceDateEpoch?.ToDateTimeOffset(),
        };
        return new DiffResponse
        {
            Diff = DescriptorMessages.Of(await differ.DiffAsync(NamespaceHeader.Of(context), diff, context.CancellationToken)),
        };
    }
}
