using System.Collections.Immutable;
using Containerd.Runc.V1;
using Containerd.Services.Tasks.V1;
using Google.Protobuf.WellKnownTypes;
using Runtime.Actors;
using Runtime.Actors.ClientTasks;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Records;
using Runtime.Actors.Snapshots;
using Runtime.Api.Edge;
using Runtime.Faults;
using Runtime.Linux.Mounts;
using Runtime.Ttrpc.Wire;

namespace Runtime.Api.Services;

/// <summary>Puts together what a task is made of: the container's record, and what the request adds to it.</summary>
public sealed class TaskRecipes(RuntimeDomain domain, ActorEdge edge, ApiOptions options)
{
    public string BundleOf(NamespaceName space, string id) => options.Directories.Bundle(space.Value, id);

    /// <summary>Where a checkpoint is to be written; empty where the options do not say.</summary>
    public static string CheckpointDirectoryOf(Any? options) =>
        options is not null && NameOf(options.TypeUrl) == CheckpointOptions.Descriptor.FullName
            ? CheckpointOptions.Parser.ParseFrom(options.Value).ImagePath
            : "";

    /// <exception cref="FaultException">NotFound for an unknown container.</exception>
    public async Task<TaskRecipe> PrepareAsync(NamespaceName space, CreateTaskRequest request, CancellationToken cancellation)
    {
        var record = domain.Records.Find(space, request.ContainerId)
            ?? throw new FaultException(FaultKind.NotFound, "container.not-found",
                $"container \"{request.ContainerId}\" in namespace \"{space}\": not found");
        if (record.Spec is not { } spec)
            throw new FaultException(FaultKind.FailedPrecondition, "container.no-spec", $"container {record.Id} has no spec: failed precondition");
        if (request.TaskApiAddress.Length > 0)
            throw new FaultException(FaultKind.Unimplemented, "task.remote-api", "A task behind a task API of its own is not supported.");
        return new TaskRecipe(
            request.RuntimePath.Length > 0 ? request.RuntimePath : record.Runtime,
            TaskMessages.Parse(request.Options) ?? (record.RuntimeOptions is { TypeUrl.Length: > 0 } own ? new WireAny(own.TypeUrl, own.Value) : null),
            spec.Value,
            await RootfsAsync(space, request, record, cancellation),
            new ProcessIo(request.Stdin, request.Stdout, request.Stderr, request.Terminal),
            RestoredOf(request));
    }

    private static string RestoredOf(CreateTaskRequest request)
    {
        var directory = request.Options is { } options && NameOf(options.TypeUrl) == Options.Descriptor.FullName
            ? Options.Parser.ParseFrom(options.Value).CriuImagePath
            : "";
        return directory.Length > 0 || request.Checkpoint is null
            ? directory
            : throw new FaultException(FaultKind.Unimplemented, "checkpoint.no-path",
                "Checkpoints are restored from a directory: name one (criu_image_path of the runtime's options)");
    }

    private static string NameOf(string typeUrl) => typeUrl[(typeUrl.LastIndexOf('/') + 1)..];

    /// <summary>As the client found it, or where it left that to us, of the container's snapshot.</summary>
    private async Task<ImmutableArray<MountSpec>> RootfsAsync(
        NamespaceName space, CreateTaskRequest request, ContainerRecord record, CancellationToken cancellation)
    {
        if (request.Rootfs.Count > 0 || record.SnapshotKey.Length == 0) return [.. MountMessages.Parse(request.Rootfs)];
        var mounts = await edge.AskAsync<SnapshotMounts>(new GetSnapshotMounts(space, record.SnapshotKey, record.Snapshotter), cancellation);
        return mounts.Mounts;
    }
}
