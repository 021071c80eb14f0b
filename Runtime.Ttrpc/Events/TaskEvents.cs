using System.Collections.Immutable;
using Runtime.Linux.Mounts;
using Runtime.Ttrpc.Wire;

namespace Runtime.Ttrpc.Events;

/// <summary>Topic /tasks/create.</summary>
public sealed record TaskCreateEvent : IWireMessage<TaskCreateEvent>
{
    public string ContainerId { get; init; } = "";

    public string Bundle { get; init; } = "";

    public ImmutableArray<MountSpec> Rootfs { get; init; } = [];

    public TaskIo? Io { get; init; }

    public string Checkpoint { get; init; } = "";

    public uint Pid { get; init; }

    public static TaskCreateEvent Read(WireReader reader)
    {
        var containerId = "";
        var bundle = "";
        var rootfs = ImmutableArray.CreateBuilder<MountSpec>();
        TaskIo? io = null;
        var checkpoint = "";
        uint pid = 0;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: containerId = reader.String(); break;
                case 2: bundle = reader.String(); break;
                case 3: rootfs.Add(reader.Mount()); break;
                case 4: io = reader.Message<TaskIo>(); break;
                case 5: checkpoint = reader.String(); break;
                case 6: pid = reader.UInt32(); break;
                default: reader.Skip(); break;
            }
        }
        return new()
        {
            ContainerId = containerId,
            Bundle = bundle,
            Rootfs = rootfs.DrainToImmutable(),
            Io = io,
            Checkpoint = checkpoint,
            Pid = pid,
        };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, ContainerId);
        writer.String(2, Bundle);
        writer.Mounts(3, Rootfs);
        writer.Message(4, Io);
        writer.String(5, Checkpoint);
        writer.UInt64(6, Pid);
    }
}

/// <summary>containerd.events.TaskIO.</summary>
public sealed record TaskIo : IWireMessage<TaskIo>
{
    public string Stdin { get; init; } = "";

    public string Stdout { get; init; } = "";

    public string Stderr { get; init; } = "";

    public bool Terminal { get; init; }

    public static TaskIo Read(WireReader reader)
    {
        var stdin = "";
        var stdout = "";
        var stderr = "";
        var terminal = false;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: stdin = reader.String(); break;
                case 2: stdout = reader.String(); break;
                case 3: stderr = reader.String(); break;
                case 4: terminal = reader.Bool(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { Stdin = stdin, Stdout = stdout, Stderr = stderr, Terminal = terminal };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, Stdin);
        writer.String(2, Stdout);
        writer.String(3, Stderr);
        writer.Bool(4, Terminal);
    }
}

/// <summary>Topic /tasks/start.</summary>
public sealed record TaskStartEvent : IWireMessage<TaskStartEvent>
{
    public string ContainerId { get; init; } = "";

    public uint Pid { get; init; }

    public static TaskStartEvent Read(WireReader reader)
    {
        var containerId = "";
        uint pid = 0;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: containerId = reader.String(); break;
                case 2: pid = reader.UInt32(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { ContainerId = containerId, Pid = pid };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, ContainerId);
        writer.UInt64(2, Pid);
    }
}

/// <summary>Topic /tasks/delete.</summary>
public sealed record TaskDeleteEvent : IWireMessage<TaskDeleteEvent>
{
    public string ContainerId { get; init; } = "";

    public uint Pid { get; init; }

    public uint ExitStatus { get; init; }

    public DateTimeOffset? ExitedAt { get; init; }

    public string Id { get; init; } = "";

    public static TaskDeleteEvent Read(WireReader reader)
    {
        var containerId = "";
        uint pid = 0;
        uint exitStatus = 0;
        DateTimeOffset? exitedAt = null;
        var id = "";
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: containerId = reader.String(); break;
                case 2: pid = reader.UInt32(); break;
                case 3: exitStatus = reader.UInt32(); break;
                case 4: exitedAt = reader.Time(); break;
                case 5: id = reader.String(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { ContainerId = containerId, Pid = pid, ExitStatus = exitStatus, ExitedAt = exitedAt, Id = id };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, ContainerId);
        writer.UInt64(2, Pid);
        writer.UInt64(3, ExitStatus);
        writer.Time(4, ExitedAt);
        writer.String(5, Id);
    }
}

/// <summary>Topic /tasks/exit. <see cref="Id"/> is the exec id, or the container's for its init process.</summary>
public sealed record TaskExitEvent : IWireMessage<TaskExitEvent>
{
    public string ContainerId { get; init; } = "";

    public string Id { get; init; } = "";

    public uint Pid { get; init; }

    public uint ExitStatus { get; init; }

    public DateTimeOffset? ExitedAt { get; init; }

    public static TaskExitEvent Read(WireReader reader)
    {
        var containerId = "";
        var id = "";
        uint pid = 0;
        uint exitStatus = 0;
        DateTimeOffset? exitedAt = null;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: containerId = reader.String(); break;
                case 2: id = reader.String(); break;
                case 3: pid = reader.UInt32(); break;
                case 4: exitStatus = reader.UInt32(); break;
                case 5: exitedAt = reader.Time(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { ContainerId = containerId, Id = id, Pid = pid, ExitStatus = exitStatus, ExitedAt = exitedAt };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, ContainerId);
        writer.String(2, Id);
        writer.UInt64(3, Pid);
        writer.UInt64(4, ExitStatus);
        writer.Time(5, ExitedAt);
    }
}

/// <summary>Topics /tasks/oom, /tasks/paused, /tasks/resumed: the container's id is all they say.</summary>
public sealed record TaskContainerEvent : IWireMessage<TaskContainerEvent>
{
    public string ContainerId { get; init; } = "";

    public static TaskContainerEvent Read(WireReader reader)
    {
        var containerId = "";
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: containerId = reader.String(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { ContainerId = containerId };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, ContainerId);
    }
}

/// <summary>Topic /tasks/checkpointed.</summary>
public sealed record TaskCheckpointedEvent : IWireMessage<TaskCheckpointedEvent>
{
    public string ContainerId { get; init; } = "";

    /// <summary>Directory of the images.</summary>
    public string Checkpoint { get; init; } = "";

    public static TaskCheckpointedEvent Read(WireReader reader)
    {
        var containerId = "";
        var checkpoint = "";
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: containerId = reader.String(); break;
                case 2: checkpoint = reader.String(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { ContainerId = containerId, Checkpoint = checkpoint };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, ContainerId);
        writer.String(2, Checkpoint);
    }
}

/// <summary>Topic /tasks/exec-added.</summary>
public sealed record TaskExecAddedEvent : IWireMessage<TaskExecAddedEvent>
{
    public string ContainerId { get; init; } = "";

    public string ExecId { get; init; } = "";

    public static TaskExecAddedEvent Read(WireReader reader)
    {
        var containerId = "";
        var execId = "";
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: containerId = reader.String(); break;
                case 2: execId = reader.String(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { ContainerId = containerId, ExecId = execId };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, ContainerId);
        writer.String(2, ExecId);
    }
}

/// <summary>Topic /tasks/exec-started.</summary>
public sealed record TaskExecStartedEvent : IWireMessage<TaskExecStartedEvent>
{
    public string ContainerId { get; init; } = "";

    public string ExecId { get; init; } = "";

    public uint Pid { get; init; }

    public static TaskExecStartedEvent Read(WireReader reader)
    {
        var containerId = "";
        var execId = "";
        uint pid = 0;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: containerId = reader.String(); break;
                case 2: execId = reader.String(); break;
                case 3: pid = reader.UInt32(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { ContainerId = containerId, ExecId = execId, Pid = pid };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, ContainerId);
        writer.String(2, ExecId);
        writer.UInt64(3, Pid);
    }
}

/// <summary>containerd.types.Envelope.</summary>
public sealed record EventEnvelope : IWireMessage<EventEnvelope>
{
    public DateTimeOffset? Timestamp { get; init; }

    public string Namespace { get; init; } = "";

    public string Topic { get; init; } = "";

    public WireAny? Event { get; init; }

    public static EventEnvelope Read(WireReader reader)
    {
        DateTimeOffset? timestamp = null;
        var @namespace = "";
        var topic = "";
        WireAny? @event = null;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: timestamp = reader.Time(); break;
                case 2: @namespace = reader.String(); break;
                case 3: topic = reader.String(); break;
                case 4: @event = reader.Message<WireAny>(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { Timestamp = timestamp, Namespace = @namespace, Topic = topic, Event = @event };
    }

    public void Write(WireWriter writer)
    {
        writer.Time(1, Timestamp);
        writer.String(2, Namespace);
        writer.String(3, Topic);
        writer.Message(4, Event);
    }
}

/// <summary>Events.Forward.</summary>
public sealed record ForwardRequest : IWireMessage<ForwardRequest>
{
    public EventEnvelope? Envelope { get; init; }

    public static ForwardRequest Read(WireReader reader)
    {
        EventEnvelope? envelope = null;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: envelope = reader.Message<EventEnvelope>(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { Envelope = envelope };
    }

    public void Write(WireWriter writer)
    {
        writer.Message(1, Envelope);
    }
}
