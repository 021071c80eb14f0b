using Runtime.Faults;
using Runtime.Linux.Cgroups;
using Runtime.Shim.Events;
using Runtime.Shim.Loops;
using Runtime.Shim.Rpc;
using Runtime.Ttrpc.Tasks;
using Runtime.Ttrpc.Wire;

namespace Runtime.Shim.Tasks;

/// <summary>The task service in both versions: containers of this shim. On the control loop only.</summary>
internal sealed partial class TaskService(
    EventLoop loop, EventLoop io, Reaper reaper, EventPublisher events, CgroupHierarchy cgroups, ShimLog log,
    string space, string socketDirectory, TimeProvider clock)
{
    public const string ServiceV2 = "containerd.task.v2.Task";
    public const string ServiceV3 = "containerd.task.v3.Task";

    private readonly Dictionary<string, Container> _containers = [];
    private int _consoleCount;

    public int Count => _containers.Count;

    /// <summary>Called for Shutdown when nothing is in the way; it must answer.</summary>
    public Action<Call>? ShutDown { get; set; }

    public void Dispatch(Call call, string method, WireReader payload)
    {
        switch (method)
        {
            case "Create": Create(call, CreateTaskRequest.Read(payload)); break;
            case "Start": Start(call, ProcessRequest.Read(payload)); break;
            case "Exec": Exec(call, ExecProcessRequest.Read(payload)); break;
            case "Delete": Delete(call, ProcessRequest.Read(payload)); break;
            case "State": State(call, ProcessRequest.Read(payload)); break;
            case "Wait": Wait(call, ProcessRequest.Read(payload)); break;
            case "Kill": Kill(call, KillRequest.Read(payload)); break;
            case "Pids": Pids(call, ContainerRequest.Read(payload)); break;
            case "Pause": Pause(call, ContainerRequest.Read(payload)); break;
            case "Resume": Resume(call, ContainerRequest.Read(payload)); break;
            case "Update": Update(call, UpdateTaskRequest.Read(payload)); break;
            case "ResizePty": ResizePty(call, ResizePtyRequest.Read(payload)); break;
            case "CloseIO": CloseIo(call, CloseIoRequest.Read(payload)); break;
            case "Stats": Stats(call, ContainerRequest.Read(payload)); break;
            case "Connect": Connect(call, ContainerRequest.Read(payload)); break;
            case "Shutdown": Shutdown(call, ShutdownRequest.Read(payload)); break;
            case "Checkpoint": Checkpoint(call, CheckpointTaskRequest.Read(payload)); break;
            default:
                throw new FaultException(FaultKind.Unimplemented, "ttrpc.unknown-method", $"The task service has no method {method}.");
        }
    }

    private Container Find(string id) => _containers.TryGetValue(id, out var container)
        ? container
        : throw new FaultException(FaultKind.NotFound, "task.not-found", $"Container {id} is not created.");

    private ContainerProcess Find(string id, string execId) => FindIn(Find(id), execId);

    private static ContainerProcess FindIn(Container container, string execId)
    {
        if (execId.Length == 0)
            return container.Init;
        return container.Execs.TryGetValue(execId, out var exec)
            ? exec
            : throw new FaultException(FaultKind.NotFound, "exec.not-found", $"Container {container.Id} has no exec {execId}.");
    }

    private static FaultException WrongPhase(string id, ContainerProcess process, string what) => new(
        FaultKind.FailedPrecondition, "process.wrong-phase",
        $"Cannot {what} {(process.IsInit ? $"container {id}" : $"exec {process.ExecId} of container {id}")} while it is {process.Phase}.");
}
