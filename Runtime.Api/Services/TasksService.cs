using System.Collections.Immutable;
using Containerd.Services.Tasks.V1;
using Containerd.Types;
using Containerd.V1.Types;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Runtime.Actors;
using Runtime.Actors.ClientTasks;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Shims;
using Runtime.Api.Edge;
using Runtime.Api.Filters;
using Runtime.Faults;

namespace Runtime.Api.Services;

/// <summary>
/// containerd.services.tasks.v1: the tasks of container records. Those of pods are listed beside them; what they do is CRI's.
/// </summary>
public sealed class TasksService(RuntimeDomain domain, ActorEdge edge, TaskRecipes recipes, TimeProvider clock) : Tasks.TasksBase
{
    public override async Task<CreateTaskResponse> Create(CreateTaskRequest request, ServerCallContext context)
    {
        var space = NamespaceHeader.Of(context);
        var recipe = await recipes.PrepareAsync(space, request, context.CancellationToken);
        var command = new CreateTask(space, request.ContainerId, recipes.BundleOf(space, request.ContainerId), recipe);
        var created = await edge.AskAsync<TaskCreated>(command, context.CancellationToken);
        return new CreateTaskResponse { ContainerId = request.ContainerId, Pid = created.Pid };
    }

    public override async Task<StartResponse> Start(StartRequest request, ServerCallContext context)
    {
        var command = new StartProcess(NamespaceHeader.Of(context), request.ContainerId, request.ExecId);
        return new StartResponse { Pid = (await edge.AskAsync<ProcessStarted>(command, context.CancellationToken)).Pid };
    }

    public override async Task<DeleteResponse> Delete(DeleteTaskRequest request, ServerCallContext context) =>
        await DeleteAsync(request.ContainerId, "", context);

    public override async Task<DeleteResponse> DeleteProcess(DeleteProcessRequest request, ServerCallContext context) =>
        request.ExecId.Length > 0
            ? await DeleteAsync(request.ContainerId, request.ExecId, context)
            : throw new FaultException(FaultKind.InvalidArgument, "exec.bad-id", "exec_id is missing: invalid argument");

    public override async Task<GetResponse> Get(GetRequest request, ServerCallContext context)
    {
        var space = NamespaceHeader.Of(context);
        if (request.ExecId.Length == 0 && OfPod(space, request.ContainerId) is { } pods) return new GetResponse { Process = pods };
        var process = await edge.AskAsync<ClientProcess>(new GetProcess(space, request.ContainerId, request.ExecId), context.CancellationToken);
        return new GetResponse { Process = TaskMessages.Of(request.ContainerId, process) };
    }

    public override Task<ListTasksResponse> List(ListTasksRequest request, ServerCallContext context)
    {
        var space = NamespaceHeader.Of(context);
        var response = new ListTasksResponse();
        response.Tasks.AddRange(domain.Sandboxes.In(space).Values.Select(TaskMessages.Of).OfType<Process>());
        response.Tasks.AddRange(domain.Containers.In(space).Values.Select(TaskMessages.Of).OfType<Process>());
        response.Tasks.AddRange(domain.Tasks.In(space).Values.Select(task => TaskMessages.Of(task.Id, task.Init)));
        return Task.FromResult(response);
    }

    public override Task<Empty> Kill(KillRequest request, ServerCallContext context) =>
        CallAsync(request.ContainerId, new KillCall(request.ExecId, request.Signal, request.All), context);

    public override async Task<Empty> Exec(ExecProcessRequest request, ServerCallContext context)
    {
        if (request.Spec is not { Value.IsEmpty: false })
            throw new FaultException(FaultKind.InvalidArgument, "exec.no-process", "The exec has no process to run: invalid argument");
        var io = new ProcessIo(request.Stdin, request.Stdout, request.Stderr, request.Terminal);
        var command = new CreateExec(NamespaceHeader.Of(context), request.ContainerId, request.ExecId, request.Spec.Value.Memory, io);
        await edge.AskAsync<ExecCreated>(command, context.CancellationToken);
        return new Empty();
    }

    public override Task<Empty> ResizePty(ResizePtyRequest request, ServerCallContext context) =>
        CallAsync(request.ContainerId, new ResizeCall(request.ExecId, request.Width, request.Height), context);

    public override Task<Empty> CloseIO(CloseIORequest request, ServerCallContext context) =>
        CallAsync(request.ContainerId, new CloseStdinCall(request.ExecId), context);

    public override Task<Empty> Pause(PauseTaskRequest request, ServerCallContext context) =>
        CallAsync(request.ContainerId, new PauseCall(), context);

    public override Task<Empty> Resume(ResumeTaskRequest request, ServerCallContext context) =>
        CallAsync(request.ContainerId, new ResumeCall(), context);

    public override async Task<ListPidsResponse> ListPids(ListPidsRequest request, ServerCallContext context)
    {
        var pids = await CallAsync<TaskPids>(NamespaceHeader.Of(context), request.ContainerId, new PidsCall(), context.CancellationToken);
        return new ListPidsResponse { Processes = { pids.Processes.Select(TaskMessages.Of) } };
    }

    public override async Task<CheckpointTaskResponse> Checkpoint(CheckpointTaskRequest request, ServerCallContext context)
    {
        var directory = TaskRecipes.CheckpointDirectoryOf(request.Options);
        if (directory.Length == 0)
            throw new FaultException(FaultKind.Unimplemented, "checkpoint.no-path",
                "Checkpoints are written into a directory: name one (ctr: --image-path)");
        await CallAsync(request.ContainerId, new CheckpointCall(directory, TaskMessages.Parse(request.Options)), context);
        return new CheckpointTaskResponse();
    }

    public override Task<Empty> Update(UpdateTaskRequest request, ServerCallContext context) =>
        TaskMessages.Parse(request.Resources) is { } resources
            ? CallAsync(request.ContainerId, new UpdateCall(resources, request.Annotations.ToImmutableSortedDictionary()), context)
            : throw new FaultException(FaultKind.InvalidArgument, "task.no-resources", "The update has no resources: invalid argument");

    public override async Task<MetricsResponse> Metrics(MetricsRequest request, ServerCallContext context)
    {
        var space = NamespaceHeader.Of(context);
        var filters = FilterList.Parse(request.Filters);
        var chosen = domain.Tasks.In(space).Values.Where(task => filters.Matches(path => Field(space, task, path)));
        var metrics = await Task.WhenAll(chosen.Select(task => MetricAsync(space, task.Id, context.CancellationToken)));
        return new MetricsResponse { Metrics = { metrics.OfType<Metric>() } };
    }

    public override async Task<WaitResponse> Wait(WaitRequest request, ServerCallContext context)
    {
        var command = new WaitProcess(NamespaceHeader.Of(context), request.ContainerId, request.ExecId);
        var exit = await edge.AskAsync<ProcessExit>(command, context.CancellationToken);
        return new WaitResponse { ExitStatus = exit.Code, ExitedAt = Timestamp.FromDateTimeOffset(exit.At) };
    }

    private async Task<DeleteResponse> DeleteAsync(string id, string execId, ServerCallContext context)
    {
        var exit = await edge.AskAsync<ProcessExit>(new DeleteProcess(NamespaceHeader.Of(context), id, execId), context.CancellationToken);
        return new DeleteResponse
        {
            Id = execId.Length > 0 ? execId : id,
            Pid = exit.Pid,
            ExitStatus = exit.Code,
            ExitedAt = Timestamp.FromDateTimeOffset(exit.At),
        };
    }

    private async Task<Empty> CallAsync(string id, TaskCall call, ServerCallContext context)
    {
        await CallAsync<TaskCallDone>(NamespaceHeader.Of(context), id, call, context.CancellationToken);
        return new Empty();
    }

    private Task<TReply> CallAsync<TReply>(NamespaceName space, string id, TaskCall call, CancellationToken caller) =>
        edge.AskAsync<TReply>(new CallTask(space, id, $"call/{Guid.NewGuid():N}", call), caller);

    private async Task<Metric?> MetricAsync(NamespaceName space, string id, CancellationToken caller)
    {
        try
        {
            var stats = await CallAsync<TaskStats>(space, id, new StatsCall(), caller);
            return new Metric { Id = id, Timestamp = Timestamp.FromDateTimeOffset(clock.GetUtcNow()), Data = TaskMessages.Of(stats.Metrics) };
        }
        catch (FaultException gone) when (gone.Fault.Kind == FaultKind.NotFound)
        {
            return null; // one that ends while it is asked takes nothing from the others
        }
    }

    private static string? Field(NamespaceName space, ClientTaskView task, ReadOnlySpan<string> path) => path switch
    {
        ["id"] => FieldPaths.Value(task.Id),
        ["namespace"] => FieldPaths.Value(space.Value),
        ["runtime"] => FieldPaths.Value(task.Runtime),
        _ => null,
    };

    private Process? OfPod(NamespaceName space, string id) =>
        domain.Containers.Find(space, id) is { } container ? TaskMessages.Of(container)
        : domain.Sandboxes.Find(space, id) is { } sandbox ? TaskMessages.Of(sandbox)
        : null;
}
