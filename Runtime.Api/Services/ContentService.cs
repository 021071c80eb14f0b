using Containerd.Services.Content.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Runtime.Actors;
using Runtime.Actors.Content;
using Runtime.Api.Edge;
using Runtime.Api.Filters;
using Runtime.Faults;
using Runtime.Oci.Images;
using Status = Containerd.Services.Content.V1.Status;

namespace Runtime.Api.Services;

/// <summary>containerd.services.content.v1: the blobs and ingests of a namespace.</summary>
public sealed partial class ContentService(RuntimeDomain domain, ActorEdge edge) : Content.ContentBase
{
    /// <summary>Blobs in one message of a list, as containerd sends them.</summary>
    private const int InfosPerMessage = 100;

    /// <summary>Bytes in one message of a blob: as much as containerd's clients read at once.</summary>
    private const int ReadBytesMax = 1024 * 1024;

    private ContentCatalog Catalog => domain.Content!.Catalog;

    public override Task<InfoResponse> Info(InfoRequest request, ServerCallContext context) => Task.FromResult(
        new InfoResponse { Info = InfoOf(Catalog.Find(NamespaceHeader.Of(context), Digest.Parse(request.Digest))) });

    public override async Task<UpdateResponse> Update(UpdateRequest request, ServerCallContext context)
    {
        var space = NamespaceHeader.Of(context);
        var digest = Digest.Parse(request.Info?.Digest ?? "");
        var (labels, names) = LabelMask.Of(request.Info!.Labels, request.UpdateMask, $"content info \"{digest}\"");
        using var used = domain.Content!.Pins.Begin();
        foreach (var node in GcLabels.References(labels))
            if (node.Kind is GcKind.Content) await used.AddAsync(node.Key, context.CancellationToken);
        var changed = await edge.AskAsync<ContentView>(
            new SetContentLabels(space, digest.ToString(), labels, names), context.CancellationToken);
        return new() { Info = InfoOf(changed) };
    }

    public override async Task List(
        ListContentRequest request, IServerStreamWriter<ListContentResponse> responseStream, ServerCallContext context)
    {
        var filters = FilterList.Parse(request.Filters);
        var found = Catalog.In(NamespaceHeader.Of(context)).Values.Where(blob => filters.Matches(path => Field(blob, path)))
            .OrderBy(blob => blob.Digest, StringComparer.Ordinal).Select(InfoOf);
        foreach (var some in found.Chunk(InfosPerMessage))
            await responseStream.WriteAsync(new ListContentResponse { Info = { some } }, context.CancellationToken);
    }

    public override async Task<Empty> Delete(DeleteContentRequest request, ServerCallContext context)
    {
        var remove = new RemoveContent(NamespaceHeader.Of(context), [Digest.Parse(request.Digest).ToString()]) { IsStrict = true };
        await edge.AskAsync<ContentRemoved>(remove, context.CancellationToken);
        return new();
    }

    public override async Task Read(
        ReadContentRequest request, IServerStreamWriter<ReadContentResponse> responseStream, ServerCallContext context)
    {
        await using var blob = Catalog.OpenRead(NamespaceHeader.Of(context), Digest.Parse(request.Digest));
        var (offset, size) = (request.Offset, request.Size);
        if (offset < 0 || size < 0 || offset > blob.Length || size > blob.Length - offset)
            throw new FaultException(FaultKind.OutOfRange, "content.out-of-range",
                $"read past object length {blob.Length} bytes: out of range");
        var end = size > 0 ? offset + size : blob.Length;
        blob.Position = offset;
        while (offset < end)
        {
            var data = new byte[Math.Min(ReadBytesMax, end - offset)];
            await blob.ReadExactlyAsync(data, context.CancellationToken);
            await responseStream.WriteAsync(
                new ReadContentResponse { Offset = offset, Data = UnsafeByteOperations.UnsafeWrap(data) }, context.CancellationToken);
            offset += data.Length;
        }
    }

    public override Task<StatusResponse> Status(StatusRequest request, ServerCallContext context) => Task.FromResult(
        new StatusResponse { Status = StatusOf(Catalog.Status(NamespaceHeader.Of(context), request.Ref)) });

    public override Task<ListStatusesResponse> ListStatuses(ListStatusesRequest request, ServerCallContext context)
    {
        var filters = FilterList.Parse(request.Filters);
        var found = Catalog.Statuses(NamespaceHeader.Of(context))
            .Where(status => filters.Matches(path => path is ["ref"] ? FieldPaths.Value(status.Reference) : null))
            .OrderBy(status => status.Reference, StringComparer.Ordinal);
        return Task.FromResult(new ListStatusesResponse { Statuses = { found.Select(StatusOf) } });
    }

    public override async Task<Empty> Abort(AbortRequest request, ServerCallContext context)
    {
        await Catalog.AbortAsync(NamespaceHeader.Of(context), request.Ref, context.CancellationToken);
        return new();
    }

    private static string? Field(ContentView blob, ReadOnlySpan<string> path) => path switch
    {
        ["digest"] => blob.Digest,
        ["labels", ..] => FieldPaths.Label(blob.Labels, path),
        _ => null,
    };

    private static Info InfoOf(ContentView blob) => new()
    {
        Digest = blob.Digest,
        Size = blob.Size,
        CreatedAt = Timestamp.FromDateTimeOffset(blob.CreatedAt),
        UpdatedAt = Timestamp.FromDateTimeOffset(blob.UpdatedAt),
        Labels = { blob.Labels },
    };

    private static Status StatusOf(IngestStatus ingest) => new()
    {
        Ref = ingest.Reference,
        Offset = ingest.Offset,
        Total = ingest.Total,
        StartedAt = Timestamp.FromDateTimeOffset(ingest.StartedAt),
        UpdatedAt = Timestamp.FromDateTimeOffset(ingest.UpdatedAt),
    };
}
