using Containerd.Services.Leases.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Runtime.Actors;
using Runtime.Actors.Entities;
using Runtime.Actors.Leases;
using Runtime.Api.Edge;
using Runtime.Api.Filters;
using Runtime.Faults;
using Runtime.Oci.Images;

namespace Runtime.Api.Services;

/// <summary>containerd.services.leases.v1: what clients keep from being collected while they work with it.</summary>
public sealed class LeasesService(RuntimeDomain domain, ActorEdge edge) : Leases.LeasesBase
{
    public override async Task<CreateResponse> Create(CreateRequest request, ServerCallContext context)
    {
        var id = request.Id.Length > 0 ? request.Id : Guid.NewGuid().ToString("N");
        var create = new CreateLease(NamespaceHeader.Of(context), id, Labels.Parse(request.Labels));
        return new() { Lease = LeaseOf(await edge.AskAsync<LeaseView>(create, context.CancellationToken)) };
    }

    public override async Task<Empty> Delete(DeleteRequest request, ServerCallContext context)
    {
        await edge.AskAsync<LeaseDeleted>(new DeleteLease(NamespaceHeader.Of(context), request.Id), context.CancellationToken);
        if (request.Sync) await domain.Content!.Sweep.CollectAsync(scope: null, context.CancellationToken);
        return new();
    }

    public override Task<ListResponse> List(ListRequest request, ServerCallContext context)
    {
        var filters = FilterList.Parse(request.Filters);
        var found = domain.Leases.In(NamespaceHeader.Of(context)).Values
            .Where(lease => filters.Matches(path => Field(lease, path))).OrderBy(lease => lease.Id, StringComparer.Ordinal);
        return Task.FromResult(new ListResponse { Leases = { found.Select(LeaseOf) } });
    }

    public override async Task<Empty> AddResource(AddResourceRequest request, ServerCallContext context)
    {
        Find(request.Id, context);
        await domain.Content!.Leases.HoldAsync(NamespaceHeader.Of(context), request.Id, Parse(request.Resource), context.CancellationToken);
        return new();
    }

    public override async Task<Empty> DeleteResource(DeleteResourceRequest request, ServerCallContext context)
    {
        var remove = new RemoveLeaseResources(NamespaceHeader.Of(context), request.Id, [Parse(request.Resource)]);
        await edge.AskAsync<LeaseView>(remove, context.CancellationToken);
        return new();
    }

    public override Task<ListResourcesResponse> ListResources(ListResourcesRequest request, ServerCallContext context) =>
        Task.FromResult(new ListResourcesResponse
        {
            Resources =
            {
                Find(request.Id, context).Resources
                    .OrderBy(resource => resource.Type, StringComparer.Ordinal).ThenBy(resource => resource.Id, StringComparer.Ordinal)
                    .Select(resource => new Resource { Type = resource.Type, Id = resource.Id }),
            },
        });

    private LeaseView Find(string id, ServerCallContext context) => domain.Leases.Find(NamespaceHeader.Of(context), id)
        ?? throw new FaultException(FaultKind.NotFound, "lease.not-found", $"lease \"{id}\": not found");

    private static LeaseResource Parse(Resource? resource) => resource switch
    {
        null or { Id.Length: 0 } => throw Invalid("A resource has a type and an id"),
        { Type: LeaseResource.ContentType } => LeaseResource.Content(Digest.Parse(resource.Id).ToString()),
        { Type: LeaseResource.IngestType or LeaseResource.ImageType } => new LeaseResource(resource.Type, resource.Id),
        _ when resource.Type.StartsWith(LeaseResource.SnapshotTypePrefix, StringComparison.Ordinal)
            && resource.Type.Length > LeaseResource.SnapshotTypePrefix.Length => new LeaseResource(resource.Type, resource.Id),
        { Type: "snapshots" or LeaseResource.SnapshotTypePrefix } => throw Invalid($"invalid snapshot resource type \"{resource.Type}\""),
        _ => throw new FaultException(FaultKind.Unimplemented, "lease.unknown-type",
            $"resource type \"{resource.Type}\" not supported yet: not implemented"),
    };

    private static FaultException Invalid(string what) =>
        new(FaultKind.InvalidArgument, "lease.invalid-resource", $"{what}: invalid argument");

    private static string? Field(LeaseView lease, ReadOnlySpan<string> path) => path switch
    {
        ["id"] => lease.Id,
        ["labels", ..] => FieldPaths.Label(lease.Labels, path),
        _ => null,
    };

    private static Lease LeaseOf(LeaseView lease) => new()
    {
        Id = lease.Id,
        CreatedAt = Timestamp.FromDateTimeOffset(lease.CreatedAt),
        Labels = { lease.Labels },
    };
}
