using Containerd.Services.Snapshots.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Runtime.Actors;
using Runtime.Actors.Entities;
using Runtime.Actors.Snapshots;
using Runtime.Api.Edge;
using Runtime.Api.Filters;
using Runtime.Faults;

namespace Runtime.Api.Services;

/// <summary>containerd.services.snapshots.v1: the same snapshots that pods and pulls use, by namespace and snapshotter.</summary>
public sealed class SnapshotsService(RuntimeDomain domain, ActorEdge edge) : Snapshots.SnapshotsBase
{
    /// <summary>Snapshots in one message of a list, as in containerd.</summary>
    private const int ListBatch = 100;

    public override async Task<PrepareSnapshotResponse> Prepare(PrepareSnapshotRequest request, ServerCallContext context)
    {
        var prepared = await edge.AskAsync<SnapshotMounts>(
            new PrepareSnapshot(NamespaceHeader.Of(context), request.Key, Snapshotter(request.Snapshotter), request.Parent, Labels.Parse(request.Labels)),
            context.CancellationToken);
        return new PrepareSnapshotResponse { Mounts = { MountMessages.Of(prepared.Mounts) } };
    }

    public override async Task<ViewSnapshotResponse> View(ViewSnapshotRequest request, ServerCallContext context)
    {
        var viewed = await edge.AskAsync<SnapshotMounts>(
            new ViewSnapshot(NamespaceHeader.Of(context), request.Key, Snapshotter(request.Snapshotter), request.Parent, Labels.Parse(request.Labels)),
            context.CancellationToken);
        return new ViewSnapshotResponse { Mounts = { MountMessages.Of(viewed.Mounts) } };
    }

    public override async Task<MountsResponse> Mounts(MountsRequest request, ServerCallContext context)
    {
        var found = await edge.AskAsync<SnapshotMounts>(
            new GetSnapshotMounts(NamespaceHeader.Of(context), request.Key, Snapshotter(request.Snapshotter)), context.CancellationToken);
        return new MountsResponse { Mounts = { MountMessages.Of(found.Mounts) } };
    }

    public override async Task<Empty> Commit(CommitSnapshotRequest request, ServerCallContext context)
    {
        await edge.AskAsync<SnapshotCommitted>(
            new CommitSnapshot(NamespaceHeader.Of(context), request.Key, Snapshotter(request.Snapshotter), request.Name, Labels.Parse(request.Labels))
            {
                Parent = request.Parent,
            },
            context.CancellationToken);
        return new Empty();
    }

    public override async Task<Empty> Remove(RemoveSnapshotRequest request, ServerCallContext context)
    {
        await edge.AskAsync<SnapshotRemoved>(
            new RemoveSnapshot(NamespaceHeader.Of(context), request.Key, Snapshotter(request.Snapshotter)), context.CancellationToken);
        return new Empty();
    }

    public override Task<StatSnapshotResponse> Stat(StatSnapshotRequest request, ServerCallContext context)
    {
        var id = SnapshotId.Of(Snapshotter(request.Snapshotter), request.Key);
        return domain.SnapshotViews.Find(NamespaceHeader.Of(context), id) is { } view
            ? Task.FromResult(new StatSnapshotResponse { Info = InfoOf(view) })
            : throw new FaultException(FaultKind.NotFound, "snapshot.not-found", $"snapshot \"{request.Key}\": not found");
    }

    public override async Task<UpdateSnapshotResponse> Update(UpdateSnapshotRequest request, ServerCallContext context)
    {
        var (labels, names) = LabelMask.Of(request.Info?.Labels ?? [], request.UpdateMask, "snapshot");
        var view = await edge.AskAsync<SnapshotView>(
            new SetSnapshotLabels(
                NamespaceHeader.Of(context), request.Info?.Name ?? "", Snapshotter(request.Snapshotter), labels, names),
            context.CancellationToken);
        return new UpdateSnapshotResponse { Info = InfoOf(view) };
    }

    public override async Task List(
        ListSnapshotsRequest request, IServerStreamWriter<ListSnapshotsResponse> responseStream, ServerCallContext context)
    {
        var snapshotter = Snapshotter(request.Snapshotter);
        var filters = FilterList.Parse(request.Filters);
        var found = domain.SnapshotViews.In(NamespaceHeader.Of(context)).Values
            .Where(view => view.Snapshotter == snapshotter && filters.Matches(path => Field(view, path)))
            .OrderBy(view => view.Key, StringComparer.Ordinal);
        foreach (var batch in found.Chunk(ListBatch))
        {
            await responseStream.WriteAsync(
                new ListSnapshotsResponse { Info = { batch.Select(InfoOf) } }, context.CancellationToken);
        }
    }

    public override async Task<UsageResponse> Usage(UsageRequest request, ServerCallContext context)
    {
        var usage = await edge.AskAsync<SnapshotUsage>(
            new GetSnapshotUsage(NamespaceHeader.Of(context), request.Key, Snapshotter(request.Snapshotter)), context.CancellationToken);
        return new UsageResponse { Size = usage.Bytes, Inodes = usage.Inodes };
    }

    public override async Task<Empty> Cleanup(CleanupRequest request, ServerCallContext context)
    {
        await edge.AskAsync<SnapshotsCleaned>(
            new CleanSnapshots(NamespaceHeader.Of(context), Snapshotter(request.Snapshotter)), context.CancellationToken);
        return new Empty();
    }

    private string Snapshotter(string name)
    {
        if (name.Length == 0)
            throw new FaultException(FaultKind.InvalidArgument, "snapshot.no-snapshotter", "snapshotter argument missing");
        return domain.Snapshotters.TryGet(name, out _)
            ? name
            : throw new FaultException(FaultKind.InvalidArgument, "snapshot.no-snapshotter", $"snapshotter not loaded: {name}");
    }

    private static string? Field(SnapshotView view, ReadOnlySpan<string> path) => path switch
    {
        ["kind"] => view.Kind.ToString().ToLowerInvariant(),
        ["name"] => view.Key,
        ["parent"] => FieldPaths.Value(view.Parent),
        ["labels", ..] => FieldPaths.Label(view.Labels, path),
        _ => null,
    };

    private static Info InfoOf(SnapshotView view) => new()
    {
        Name = view.Key,
        Parent = view.Parent,
        Kind = (Kind)view.Kind,
        CreatedAt = Timestamp.FromDateTimeOffset(view.CreatedAt),
        UpdatedAt = Timestamp.FromDateTimeOffset(view.UpdatedAt),
        Labels = { view.Labels },
    };
}
