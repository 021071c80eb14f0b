using System.Collections.Immutable;
using Runtime.Linux.Mounts;
using Runtime.Ttrpc.Wire;

namespace Runtime.Ttrpc.Tasks;

/// <summary>Of the calls that name a container: Pids, Pause, Resume, Stats, Connect.</summary>
public sealed record ContainerRequest : IWireMessage<ContainerRequest>
{
    public string Id { get; init; } = "";

    public static ContainerRequest Read(WireReader reader)
    {
        var id = "";
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: id = reader.String(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { Id = id };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, Id);
    }
}

/// <summary>Of the calls that name a process: State, Start, Delete, Wait. An empty exec id is the init process.</summary>
public sealed record ProcessRequest : IWireMessage<ProcessRequest>
{
    public string Id { get; init; } = "";

    public string ExecId { get; init; } = "";

    public static ProcessRequest Read(WireReader reader)
    {
        var id = "";
        var execId = "";
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: id = reader.String(); break;
                case 2: execId = reader.String(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { Id = id, ExecId = execId };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, Id);
        writer.String(2, ExecId);
    }
}

/// <summary>Task.Create.</summary>
public sealed record CreateTaskRequest : IWireMessage<CreateTaskRequest>
{
    public string Id { get; init; } = "";

    public string Bundle { get; init; } = "";

    /// <summary>Mounted in order at the bundle's rootfs.</summary>
    public ImmutableArray<MountSpec> Rootfs { get; init; } = [];

    public bool Terminal { get; init; }

    public string Stdin { get; init; } = "";

    /// <summary>A FIFO's path, or a URI: <c>cri://</c>, <c>file://</c>, <c>binary://</c>. Empty for none.</summary>
    public string Stdout { get; init; } = "";

    public string Stderr { get; init; } = "";

    public string Checkpoint { get; init; } = "";

    public string ParentCheckpoint { get; init; } = "";

    /// <summary>containerd.runc.v1.Options.</summary>
    public WireAny? Options { get; init; }

    public static CreateTaskRequest Read(WireReader reader)
    {
        var id = "";
        var bundle = "";
        var rootfs = ImmutableArray.CreateBuilder<MountSpec>();
        var terminal = false;
        var stdin = "";
        var stdout = "";
        var stderr = "";
        var checkpoint = "";
        var parentCheckpoint = "";
        WireAny? options = null;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: id = reader.String(); break;
                case 2: bundle = reader.String(); break;
                case 3: rootfs.Add(reader.Mount()); break;
                case 4: terminal = reader.Bool(); break;
                case 5: stdin = reader.String(); break;
                case 6: stdout = reader.String(); break;
                case 7: stderr = reader.String(); break;
                case 8: checkpoint = reader.String(); break;
                case 9: parentCheckpoint = reader.String(); break;
                case 10: options = reader.Message<WireAny>(); break;
                default: reader.Skip(); break;
            }
        }
        return new()
        {
            Id = id,
            Bundle = bundle,
            Rootfs = rootfs.DrainToImmutable(),
            Terminal = terminal,
            Stdin = stdin,
            Stdout = stdout,
            Stderr = stderr,
            Checkpoint = checkpoint,
            ParentCheckpoint = parentCheckpoint,
            Options = options,
        };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, Id);
        writer.String(2, Bundle);
        writer.Mounts(3, Rootfs);
        writer.Bool(4, Terminal);
        writer.String(5, Stdin);
        writer.String(6, Stdout);
        writer.String(7, Stderr);
        writer.String(8, Checkpoint);
        writer.String(9, ParentCheckpoint);
        writer.Message(10, Options);
    }
}

/// <summary>Task.Exec.</summary>
public sealed record ExecProcessRequest : IWireMessage<ExecProcessRequest>
{
    public string Id { get; init; } = "";

    public string ExecId { get; init; } = "";

    public bool Terminal { get; init; }

    public string Stdin { get; init; } = "";

    public string Stdout { get; init; } = "";

    public string Stderr { get; init; } = "";

    /// <summary>JSON of the runtime spec's <c>process</c>.</summary>
    public WireAny? Spec { get; init; }

    public static ExecProcessRequest Read(WireReader reader)
    {
        var id = "";
        var execId = "";
        var terminal = false;
        var stdin = "";
        var stdout = "";
        var stderr = "";
        WireAny? spec = null;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: id = reader.String(); break;
                case 2: execId = reader.String(); break;
                case 3: terminal = reader.Bool(); break;
                case 4: stdin = reader.String(); break;
                case 5: stdout = reader.String(); break;
                case 6: stderr = reader.String(); break;
                case 7: spec = reader.Message<WireAny>(); break;
                default: reader.Skip(); break;
            }
        }
        return new()
        {
            Id = id,
            ExecId = execId,
            Terminal = terminal,
            Stdin = stdin,
            Stdout = stdout,
            Stderr = stderr,
            Spec = spec,
        };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, Id);
        writer.String(2, ExecId);
        writer.Bool(3, Terminal);
        writer.String(4, Stdin);
        writer.String(5, Stdout);
        writer.String(6, Stderr);
        writer.Message(7, Spec);
    }
}

/// <summary>Task.ResizePty: characters.</summary>
public sealed record ResizePtyRequest : IWireMessage<ResizePtyRequest>
{
    public string Id { get; init; } = "";

    public string ExecId { get; init; } = "";

    public uint Width { get; init; }

    public uint Height { get; init; }

    public static ResizePtyRequest Read(WireReader reader)
    {
        var id = "";
        var execId = "";
        uint width = 0;
        uint height = 0;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: id = reader.String(); break;
                case 2: execId = reader.String(); break;
                case 3: width = reader.UInt32(); break;
                case 4: height = reader.UInt32(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { Id = id, ExecId = execId, Width = width, Height = height };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, Id);
        writer.String(2, ExecId);
        writer.UInt64(3, Width);
        writer.UInt64(4, Height);
    }
}

/// <summary>Task.Kill.</summary>
public sealed record KillRequest : IWireMessage<KillRequest>
{
    public string Id { get; init; } = "";

    public string ExecId { get; init; } = "";

    public uint Signal { get; init; }

    /// <summary>Every process of the container.</summary>
    public bool All { get; init; }

    public static KillRequest Read(WireReader reader)
    {
        var id = "";
        var execId = "";
        uint signal = 0;
        var all = false;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: id = reader.String(); break;
                case 2: execId = reader.String(); break;
                case 3: signal = reader.UInt32(); break;
                case 4: all = reader.Bool(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { Id = id, ExecId = execId, Signal = signal, All = all };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, Id);
        writer.String(2, ExecId);
        writer.UInt64(3, Signal);
        writer.Bool(4, All);
    }
}

/// <summary>Task.CloseIO.</summary>
public sealed record CloseIoRequest : IWireMessage<CloseIoRequest>
{
    public string Id { get; init; } = "";

    public string ExecId { get; init; } = "";

    public bool Stdin { get; init; }

    public static CloseIoRequest Read(WireReader reader)
    {
        var id = "";
        var execId = "";
        var stdin = false;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: id = reader.String(); break;
                case 2: execId = reader.String(); break;
                case 3: stdin = reader.Bool(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { Id = id, ExecId = execId, Stdin = stdin };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, Id);
        writer.String(2, ExecId);
        writer.Bool(3, Stdin);
    }
}

/// <summary>Task.Checkpoint.</summary>
public sealed record CheckpointTaskRequest : IWireMessage<CheckpointTaskRequest>
{
    public string Id { get; init; } = "";

    public string Path { get; init; } = "";

    public WireAny? Options { get; init; }

    public static CheckpointTaskRequest Read(WireReader reader)
    {
        var id = "";
        var path = "";
        WireAny? options = null;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: id = reader.String(); break;
                case 2: path = reader.String(); break;
                case 3: options = reader.Message<WireAny>(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { Id = id, Path = path, Options = options };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, Id);
        writer.String(2, Path);
        writer.Message(3, Options);
    }
}

/// <summary>Task.Update.</summary>
public sealed record UpdateTaskRequest : IWireMessage<UpdateTaskRequest>
{
    public string Id { get; init; } = "";

    /// <summary>JSON of the runtime spec's <c>linux.resources</c>.</summary>
    public WireAny? Resources { get; init; }

    public ImmutableSortedDictionary<string, string> Annotations { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public static UpdateTaskRequest Read(WireReader reader)
    {
        var id = "";
        WireAny? resources = null;
        var annotations = WireMap.Builder();
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: id = reader.String(); break;
                case 2: resources = reader.Message<WireAny>(); break;
                case 3: annotations.Entry(ref reader); break;
                default: reader.Skip(); break;
            }
        }
        return new() { Id = id, Resources = resources, Annotations = annotations.ToImmutable() };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, Id);
        writer.Message(2, Resources);
        writer.Map(3, Annotations);
    }
}

/// <summary>Task.Shutdown.</summary>
public sealed record ShutdownRequest : IWireMessage<ShutdownRequest>
{
    public string Id { get; init; } = "";

    /// <summary>Also with containers left.</summary>
    public bool Now { get; init; }

    public static ShutdownRequest Read(WireReader reader)
    {
        var id = "";
        var now = false;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: id = reader.String(); break;
                case 2: now = reader.Bool(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { Id = id, Now = now };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, Id);
        writer.Bool(2, Now);
    }
}
