using Runtime.Faults;
using Runtime.Shim.Rpc;
using Runtime.Ttrpc.Bootstrap;
using Runtime.Ttrpc.Events;
using Runtime.Ttrpc.Tasks;
using Runtime.Ttrpc.Wire;

namespace Runtime.Shim.Tasks;

internal sealed partial class TaskService
{
    /// <summary>The OCI runtime's <c>checkpoint</c>, which has CRIU dump the container into the request's directory.</summary>
    private void Checkpoint(Call call, CheckpointTaskRequest request)
    {
        var container = Find(request.Id);
        if (!Path.IsPathRooted(request.Path))
            throw new FaultException(FaultKind.InvalidArgument, "task.bad-path", $"The checkpoint's directory \"{request.Path}\" is no absolute path.");
        var options = request.Options is { TypeName: CheckpointOptionsMessage.TypeName } given
            ? CheckpointOptionsMessage.Read(new WireReader(given.Value.Span))
            : new();
        RunCommand(call, container, CheckpointLine(container.Id, request.Path, options), () =>
            events.Publish(TaskTopics.Checkpointed, new TaskCheckpointedEvent { ContainerId = container.Id, Checkpoint = request.Path }));
    }

    private static string[] CheckpointLine(string id, string path, CheckpointOptionsMessage options)
    {
        var line = new List<string> { "checkpoint", "--image-path", path };
        if (options.WorkPath.Length > 0)
            line.AddRange(["--work-path", options.WorkPath]);
        if (options.OpenTcp)
            line.Add("--tcp-established");
        if (options.ExternalUnixSockets)
            line.Add("--ext-unix-sk");
        if (options.Terminal)
            line.Add("--shell-job");
        if (options.FileLocks)
            line.Add("--file-locks");
        if (options.CgroupsMode.Length > 0)
            line.AddRange(["--manage-cgroups-mode", options.CgroupsMode]);
        foreach (var name in options.EmptyNamespaces)
            line.AddRange(["--empty-ns", name]);
        if (!options.Exit)
            line.Add("--leave-running");
        line.Add(id);
        return [.. line];
    }
}
