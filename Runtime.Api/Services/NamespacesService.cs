using Containerd.Services.Namespaces.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Runtime.Actors;
using Runtime.Actors.Namespaces;
using Runtime.Faults;

namespace Runtime.Api.Services;

/// <summary>containerd.services.namespaces.v1. A namespace is there while something is in it; k8s.io always is.</summary>
public sealed class NamespacesService(RuntimeDomain domain) : Namespaces.NamespacesBase
{
    public override Task<GetNamespaceResponse> Get(GetNamespaceRequest request, ServerCallContext context) =>
        Known().Contains(request.Name)
            ? Task.FromResult(new GetNamespaceResponse { Namespace = new Namespace { Name = request.Name } })
            : throw new FaultException(FaultKind.NotFound, "namespace.not-found", $"namespace \"{request.Name}\": not found");

    public override Task<ListNamespacesResponse> List(ListNamespacesRequest request, ServerCallContext context)
    {
        var response = new ListNamespacesResponse();
        response.Namespaces.AddRange(Known().Select(name => new Namespace { Name = name }));
        return Task.FromResult(response);
    }

    public override Task<CreateNamespaceResponse> Create(CreateNamespaceRequest request, ServerCallContext context) =>
        throw NotKept();

    public override Task<UpdateNamespaceResponse> Update(UpdateNamespaceRequest request, ServerCallContext context) =>
        throw NotKept();

    public override Task<Empty> Delete(DeleteNamespaceRequest request, ServerCallContext context) => throw NotKept();

    private static FaultException NotKept() => new(FaultKind.Unimplemented, "namespace.not-kept",
        "Namespaces come and go with what is in them; labels and empty namespaces are not kept.");

    private SortedSet<string> Known() => new(
        domain.Sandboxes.All.Keys
            .Concat(domain.Containers.All.Keys)
            .Concat(domain.ImageNames.All.Keys)
            .Concat(domain.SnapshotViews.All.Keys)
            .Append(NamespaceName.Kubernetes)
            .Select(name => name.Value),
        StringComparer.Ordinal);
}
