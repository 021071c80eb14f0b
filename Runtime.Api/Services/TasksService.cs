using Containerd.Services.Tasks.V1;
using Containerd.V1.Types;
using Grpc.Core;
using Runtime.Actors;
using Runtime.Actors.Containers;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Sandboxes;
using Runtime.Api.Edge;
using Runtime.Faults;
using Status = Containerd.V1.Types.Status;

namespace Runtime.Api.Services;

/// <summary>
/// containerd.services.tasks.v1, as far as pods need it. As in containerd, a CRI container has a task from its start to its
/// exit; a sandbox has one while it is ready, whose pid shows the pod's network.
/// </summary>
public sealed class TasksService(RuntimeDomain domain) : Tasks.TasksBase
{
    public override Task<GetResponse> Get(GetRequest request, ServerCallContext context)
    {
        var space = NamespaceHeader.Of(context);
        var task = request.ExecId.Length > 0 ? null : Find(space, request.ContainerId);
        return task is not null
            ? Task.FromResult(new GetResponse { Process = task })
            : throw new FaultException(FaultKind.NotFound, "task.not-found", request.ExecId.Length > 0
                ? $"process \"{request.ExecId}\" of task \"{request.ContainerId}\": not found"
                : $"task \"{request.ContainerId}\": not found");
    }

    public override Task<ListTasksResponse> List(ListTasksRequest request, ServerCallContext context)
    {
        var space = NamespaceHeader.Of(context);
        var response = new ListTasksResponse();
        response.Tasks.AddRange(domain.Sandboxes.In(space).Values.Select(TaskOf).OfType<Process>());
        response.Tasks.AddRange(domain.Containers.In(space).Values.Select(TaskOf).OfType<Process>());
        return Task.FromResult(response);
    }

    private Process? Find(NamespaceName space, string id) =>
        domain.Containers.Find(space, id) is { } container ? TaskOf(container)
        : domain.Sandboxes.Find(space, id) is { } sandbox ? TaskOf(sandbox)
        : null;

    private static Process? TaskOf(SandboxView view) =>
        view.Phase == SandboxPhase.Ready
            ? new() { ContainerId = view.Id, Id = view.Id, Pid = view.Pid, Status = Status.Running }
            : null;

    private static Process? TaskOf(ContainerView view) => view.Phase switch
    {
        ContainerPhase.Running => new() { ContainerId = view.Id, Id = view.Id, Pid = view.Pid, Status = Status.Running },
        ContainerPhase.Unknown => new() { ContainerId = view.Id, Id = view.Id, Pid = view.Pid, Status = Status.Unknown },
        _ => null,
    };
}
