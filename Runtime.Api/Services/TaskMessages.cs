using Containerd.V1.Types;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Runtime.Actors.ClientTasks;
using Runtime.Actors.Containers;
using Runtime.Actors.Sandboxes;
using Runtime.Ttrpc.Tasks;
using Runtime.Ttrpc.Wire;
using Status = Containerd.V1.Types.Status;

namespace Runtime.Api.Services;

/// <summary>Tasks as containerd's messages have them.</summary>
internal static class TaskMessages
{
    private const string DetailsTypeUrl = "containerd.runc.v1.ProcessDetails";

    public static Process Of(string containerId, ClientProcess process)
    {
        var message = new Process
        {
            ContainerId = containerId,
            Id = process.ExecId.Length > 0 ? process.ExecId : containerId,
            Pid = process.Pid,
            Status = StatusOf(process.Phase),
            Stdin = process.Io.Stdin,
            Stdout = process.Io.Stdout,
            Stderr = process.Io.Stderr,
            Terminal = process.Io.Terminal,
        };
        if (process.Exit is not { } exit) return message;
        message.ExitStatus = exit.Code;
        message.ExitedAt = Timestamp.FromDateTimeOffset(exit.At);
        return message;
    }

    /// <summary>A sandbox has a task while it is ready, whose pid shows the pod's network. Null for none.</summary>
    public static Process? Of(SandboxView view) =>
        view.Phase == SandboxPhase.Ready
            ? new() { ContainerId = view.Id, Id = view.Id, Pid = view.Pid, Status = Status.Running }
            : null;

    /// <summary>As in containerd, a container of a pod has a task from its start to its exit. Null for none.</summary>
    public static Process? Of(ContainerView view) => view.Phase switch
    {
        ContainerPhase.Running => new() { ContainerId = view.Id, Id = view.Id, Pid = view.Pid, Status = Status.Running },
        ContainerPhase.Unknown => new() { ContainerId = view.Id, Id = view.Id, Pid = view.Pid, Status = Status.Unknown },
        _ => null,
    };

    public static ProcessInfo Of(TaskProcess process)
    {
        var message = new ProcessInfo { Pid = process.Pid };
        if (process.ExecId.Length > 0)
        {
            var details = new Containerd.Runc.V1.ProcessDetails { ExecId = process.ExecId };
            message.Info = new Any { TypeUrl = DetailsTypeUrl, Value = details.ToByteString() };
        }
        return message;
    }

    public static Any Of(WireAny any) => new() { TypeUrl = any.TypeUrl, Value = ByteString.CopyFrom(any.Value.Span) };

    public static WireAny? Parse(Any? any) => any is null || any.TypeUrl.Length == 0 ? null : new WireAny(any.TypeUrl, any.Value.Memory);

    private static Status StatusOf(ClientProcessPhase phase) => phase switch
    {
        ClientProcessPhase.Created or ClientProcessPhase.Starting => Status.Created,
        ClientProcessPhase.Running => Status.Running,
        ClientProcessPhase.Paused => Status.Paused,
        ClientProcessPhase.Stopped => Status.Stopped,
        _ => Status.Unknown,
    };
}
