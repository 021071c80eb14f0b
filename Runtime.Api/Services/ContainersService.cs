using Containerd.Services.Containers.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Runtime.Actors.Records;
using Runtime.Api.Edge;
using Runtime.Api.Filters;
using Runtime.Faults;

namespace Runtime.Api.Services;

/// <summary>containerd.services.containers.v1. Pods' containers and sandboxes are listed beside its own, and changed only through CRI.</summary>
public sealed class ContainersService(ContainerRecords records, ActorEdge edge) : Containers.ContainersBase
{
    public override async Task<GetContainerResponse> Get(GetContainerRequest request, ServerCallContext context) => new()
    {
        Container = await records.FindAsync(NamespaceHeader.Of(context), request.Id, context.CancellationToken)
            ?? throw new FaultException(FaultKind.NotFound, "container.not-found", $"container \"{request.Id}\": not found"),
    };

    public override async Task<ListContainersResponse> List(ListContainersRequest request, ServerCallContext context)
    {
        var response = new ListContainersResponse();
        var space = NamespaceHeader.Of(context);
        await foreach (var record in records.ListAsync(space, FilterList.Parse(request.Filters), context.CancellationToken))
            response.Containers.Add(record);
        return response;
    }

    public override async Task<CreateContainerResponse> Create(CreateContainerRequest request, ServerCallContext context)
    {
        var create = new CreateRecord(NamespaceHeader.Of(context), ContainerMessages.Parse(request.Container));
        return new() { Container = ContainerMessages.Of(await edge.AskAsync<ContainerRecord>(create, context.CancellationToken)) };
    }

    public override async Task<UpdateContainerResponse> Update(UpdateContainerRequest request, ServerCallContext context)
    {
        var update = new UpdateRecord(
            NamespaceHeader.Of(context), ContainerMessages.Parse(request.Container), [.. request.UpdateMask?.Paths ?? []]);
        return new() { Container = ContainerMessages.Of(await edge.AskAsync<ContainerRecord>(update, context.CancellationToken)) };
    }

    public override async Task<Empty> Delete(DeleteContainerRequest request, ServerCallContext context)
    {
        await edge.AskAsync<RecordDeleted>(new DeleteRecord(NamespaceHeader.Of(context), request.Id), context.CancellationToken);
        return new();
    }

    public override async Task ListStream(
        ListContainersRequest request, IServerStreamWriter<ListContainerMessage> responseStream, ServerCallContext context)
    {
        var space = NamespaceHeader.Of(context);
        await foreach (var record in records.ListAsync(space, FilterList.Parse(request.Filters), context.CancellationToken))
            await responseStream.WriteAsync(new ListContainerMessage { Container = record }, context.CancellationToken);
    }
}
