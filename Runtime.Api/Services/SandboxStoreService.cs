using Containerd.Services.Sandbox.V1;
using Grpc.Core;
using Runtime.Actors;
using Runtime.Actors.SandboxRecords;
using Runtime.Api.Edge;
using Runtime.Api.Filters;
using Runtime.Faults;

namespace Runtime.Api.Services;

/// <summary>containerd.services.sandbox.v1, Store: records of clients, and pods' sandboxes beside them.</summary>
public sealed class SandboxStoreService(RuntimeDomain domain, ActorEdge edge, SandboxMessages messages) : Store.StoreBase
{
    public override async Task<StoreCreateResponse> Create(StoreCreateRequest request, ServerCallContext context) => new()
    {
        Sandbox = SandboxMessages.Of(await edge.AskAsync<SandboxRecord>(
            new CreateSandboxRecord(NamespaceHeader.Of(context), SandboxMessages.Parse(request.Sandbox)), context.CancellationToken)),
    };

    public override async Task<StoreUpdateResponse> Update(StoreUpdateRequest request, ServerCallContext context) => new()
    {
        Sandbox = SandboxMessages.Of(await edge.AskAsync<SandboxRecord>(
            new UpdateSandboxRecord(NamespaceHeader.Of(context), SandboxMessages.Parse(request.Sandbox), [.. request.Fields]),
            context.CancellationToken)),
    };

    public override async Task<StoreDeleteResponse> Delete(StoreDeleteRequest request, ServerCallContext context)
    {
        await edge.AskAsync<SandboxRecordDeleted>(
            new DeleteSandboxRecord(NamespaceHeader.Of(context), request.SandboxId), context.CancellationToken);
        return new StoreDeleteResponse();
    }

    public override Task<StoreListResponse> List(StoreListRequest request, ServerCallContext context)
    {
        var space = NamespaceHeader.Of(context);
        var filters = FilterList.Parse(request.Filters);
        var all = domain.Sandboxes.In(space).Values.Select(messages.Of)
            .Concat(domain.SandboxRecords.In(space).Values.Select(SandboxMessages.Of))
            .Where(sandbox => filters.Matches(path => Field(sandbox, path)))
            .OrderBy(sandbox => sandbox.SandboxId, StringComparer.Ordinal);
        return Task.FromResult(new StoreListResponse { List = { all } });
    }

    public override Task<StoreGetResponse> Get(StoreGetRequest request, ServerCallContext context)
    {
        var space = NamespaceHeader.Of(context);
        var found = domain.Sandboxes.Find(space, request.SandboxId) is { } pod ? messages.Of(pod)
            : domain.SandboxRecords.Find(space, request.SandboxId) is { } record ? SandboxMessages.Of(record)
            : throw new FaultException(FaultKind.NotFound, "sandbox.not-found", $"sandbox \"{request.SandboxId}\": not found");
        return Task.FromResult(new StoreGetResponse { Sandbox = found });
    }

    private static string? Field(Containerd.Types.Sandbox sandbox, ReadOnlySpan<string> path) => path switch
    {
        ["id"] => sandbox.SandboxId,
        ["runtime", "name"] => FieldPaths.Value(sandbox.Runtime?.Name ?? ""),
        ["sandboxer"] => FieldPaths.Value(sandbox.Sandboxer),
        ["labels", ..] => FieldPaths.Label(sandbox.Labels, path),
        _ => null,
    };
}
