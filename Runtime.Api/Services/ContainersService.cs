using Containerd.Services.Containers.V1;
using Grpc.Core;
using Runtime.Api.Edge;
using Runtime.Api.Filters;
using Runtime.Faults;

namespace Runtime.Api.Services;

/// <summary>containerd.services.containers.v1: the records of what runs. Containers are made through CRI.</summary>
public sealed class ContainersService(ContainerRecords records) : Containers.ContainersBase
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

    public override async Task ListStream(
        ListContainersRequest request, IServerStreamWriter<ListContainerMessage> responseStream, ServerCallContext context)
    {
        var space = NamespaceHeader.Of(context);
        await foreach (var record in records.ListAsync(space, FilterList.Parse(request.Filters), context.CancellationToken))
            await responseStream.WriteAsync(new ListContainerMessage { Container = record }, context.CancellationToken);
    }
}
