using Containerd.Services.Namespaces.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Runtime.Actors;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Api.Edge;
using Runtime.Faults;

namespace Runtime.Api.Services;

/// <summary>
/// containerd.services.namespaces.v1. A namespace is there once it was made, and while something is in it; k8s.io always is.
/// </summary>
public sealed class NamespacesService(RuntimeDomain domain, ActorEdge edge) : Namespaces.NamespacesBase
{
    /// <summary>containerd's own, in its database.</summary>
    private const string Reserved = "version";

    public override Task<GetNamespaceResponse> Get(GetNamespaceRequest request, ServerCallContext context) =>
        Known().Contains(request.Name)
            ? Task.FromResult(new GetNamespaceResponse { Namespace = MessageOf(request.Name) })
            : throw Missing(request.Name);

    public override Task<ListNamespacesResponse> List(ListNamespacesRequest request, ServerCallContext context) =>
        Task.FromResult(new ListNamespacesResponse { Namespaces = { Known().Select(MessageOf) } });

    public override async Task<CreateNamespaceResponse> Create(CreateNamespaceRequest request, ServerCallContext context)
    {
        var name = Parse(request.Namespace);
        if (Known().Contains(name.Value))
            throw new FaultException(FaultKind.AlreadyExists, "namespace.exists", $"namespace \"{name}\": already exists");
        var made = await edge.AskAsync<NamespaceView>(
            new CreateNamespace(name, Labels.Parse(request.Namespace.Labels)), context.CancellationToken);
        return new() { Namespace = MessageOf(made) };
    }

    public override async Task<UpdateNamespaceResponse> Update(UpdateNamespaceRequest request, ServerCallContext context)
    {
        var name = Parse(request.Namespace);
        var (labels, names) = LabelMask.Of(request.Namespace.Labels, request.UpdateMask, $"namespace \"{name}\"");
        var changed = await edge.AskAsync<NamespaceView>(new SetNamespaceLabels(name, labels, names), context.CancellationToken);
        return new() { Namespace = MessageOf(changed) };
    }

    public override async Task<Empty> Delete(DeleteNamespaceRequest request, ServerCallContext context)
    {
        var name = NamespaceName.Parse(request.Name);
        var holds = string.Join(", ", Holds(name));
        if (holds.Length > 0)
            throw new FaultException(FaultKind.FailedPrecondition, "namespace.not-empty",
                $"namespace \"{name}\" must be empty, but it still has {holds}: failed precondition");
        if (domain.NamespaceViews.Find(name, NamespaceView.Id) is null && Known().Contains(name.Value))
            throw new FaultException(FaultKind.FailedPrecondition, "namespace.kept", $"namespace \"{name}\" is always there: failed precondition");
        await edge.AskAsync<NamespaceDeleted>(new DeleteNamespace(name), context.CancellationToken);
        return new();
    }

    private static NamespaceName Parse(Namespace? message) => message?.Name switch
    {
        null => throw new FaultException(FaultKind.InvalidArgument, "namespace.missing-message", "The namespace is missing: invalid argument"),
        Reserved => throw new FaultException(FaultKind.InvalidArgument, "namespace.reserved", $"\"{Reserved}\" is a reserved name: invalid argument"),
        var name => NamespaceName.Parse(name),
    };

    /// <summary>What is in a namespace, in containerd's words.</summary>
    private IEnumerable<string> Holds(NamespaceName name)
    {
        if (!domain.ImageNames.In(name).IsEmpty) yield return "images";
        if (domain.Content?.Catalog.In(name).IsEmpty is false) yield return "blobs";
        if (!domain.Records.In(name).IsEmpty || !domain.Containers.In(name).IsEmpty || !domain.Sandboxes.In(name).IsEmpty) yield return "containers";
        foreach (var snapshotter in domain.SnapshotViews.In(name).Values.Select(view => view.Snapshotter).Distinct().Order(StringComparer.Ordinal))
            yield return $"snapshots on \"{snapshotter}\" snapshotter";
    }

    private SortedSet<string> Known() => new(
        domain.Sandboxes.All.Keys
            .Concat(domain.Containers.All.Keys)
            .Concat(domain.Records.All.Keys)
            .Concat(domain.ImageNames.All.Keys)
            .Concat(domain.SnapshotViews.All.Keys)
            .Concat(domain.Leases.All.Keys)
            .Concat(domain.NamespaceViews.All.Keys)
            .Concat(domain.Content?.Catalog.Spaces ?? [])
            .Append(NamespaceName.Kubernetes)
            .Select(name => name.Value),
        StringComparer.Ordinal);

    private Namespace MessageOf(string name) =>
        MessageOf(domain.NamespaceViews.Find(new NamespaceName(name), NamespaceView.Id) ?? new NamespaceView(name, Labels.None));

    private static Namespace MessageOf(NamespaceView view) => new() { Name = view.Name, Labels = { view.Labels } };

    private static FaultException Missing(string name) =>
        new(FaultKind.NotFound, "namespace.not-found", $"namespace \"{name}\": not found");
}
