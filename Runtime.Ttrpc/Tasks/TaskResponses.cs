using Runtime.Ttrpc.Wire;

namespace Runtime.Ttrpc.Tasks;

/// <summary>Of Create and Start.</summary>
public sealed record PidResponse : IWireMessage<PidResponse>
{
    public uint Pid { get; init; }

    public static PidResponse Read(WireReader reader)
    {
        uint pid = 0;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: pid = reader.UInt32(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { Pid = pid };
    }

    public void Write(WireWriter writer)
    {
        writer.UInt64(1, Pid);
    }
}

/// <summary>Task.State.</summary>
public sealed record StateResponse : IWireMessage<StateResponse>
{
    public string Id { get; init; } = "";

    public string Bundle { get; init; } = "";

    public uint Pid { get; init; }

    /// <summary>containerd.v1.types.Status: 1 created, 2 running, 3 stopped, 4 paused, 5 pausing.</summary>
    public uint Status { get; init; }

    public string Stdin { get; init; } = "";

    public string Stdout { get; init; } = "";

    public string Stderr { get; init; } = "";

    public bool Terminal { get; init; }

    public uint ExitStatus { get; init; }

    public DateTimeOffset? ExitedAt { get; init; }

    public string ExecId { get; init; } = "";

    public static StateResponse Read(WireReader reader)
    {
        var id = "";
        var bundle = "";
        uint pid = 0;
        uint status = 0;
        var stdin = "";
        var stdout = "";
        var stderr = "";
        var terminal = false;
        uint exitStatus = 0;
        DateTimeOffset? exitedAt = null;
        var execId = "";
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: id = reader.String(); break;
                case 2: bundle = reader.String(); break;
                case 3: pid = reader.UInt32(); break;
                case 4: status = reader.UInt32(); break;
                case 5: stdin = reader.String(); break;
                case 6: stdout = reader.String(); break;
                case 7: stderr = reader.String(); break;
                case 8: terminal = reader.Bool(); break;
                case 9: exitStatus = reader.UInt32(); break;
                case 10: exitedAt = reader.Time(); break;
                case 11: execId = reader.String(); break;
                default: reader.Skip(); break;
            }
        }
        return new()
        {
            Id = id,
            Bundle = bundle,
            Pid = pid,
            Status = status,
            Stdin = stdin,
            Stdout = stdout,
            Stderr = stderr,
            Terminal = terminal,
            ExitStatus = exitStatus,
            ExitedAt = exitedAt,
            ExecId = execId,
        };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, Id);
        writer.String(2, Bundle);
        writer.UInt64(3, Pid);
        writer.UInt64(4, Status);
        writer.String(5, Stdin);
        writer.String(6, Stdout);
        writer.String(7, Stderr);
        writer.Bool(8, Terminal);
        writer.UInt64(9, ExitStatus);
        writer.Time(10, ExitedAt);
        writer.String(11, ExecId);
    }
}

/// <summary>Task.Delete, and what the <c>delete</c> command of a shim prints.</summary>
public sealed record DeleteResponse : IWireMessage<DeleteResponse>
{
    public uint Pid { get; init; }

    public uint ExitStatus { get; init; }

    public DateTimeOffset? ExitedAt { get; init; }

    public static DeleteResponse Read(WireReader reader)
    {
        uint pid = 0;
        uint exitStatus = 0;
        DateTimeOffset? exitedAt = null;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: pid = reader.UInt32(); break;
                case 2: exitStatus = reader.UInt32(); break;
                case 3: exitedAt = reader.Time(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { Pid = pid, ExitStatus = exitStatus, ExitedAt = exitedAt };
    }

    public void Write(WireWriter writer)
    {
        writer.UInt64(1, Pid);
        writer.UInt64(2, ExitStatus);
        writer.Time(3, ExitedAt);
    }
}

/// <summary>Of Task.Wait and Sandbox.WaitSandbox.</summary>
public sealed record WaitResponse : IWireMessage<WaitResponse>
{
    public uint ExitStatus { get; init; }

    public DateTimeOffset? ExitedAt { get; init; }

    public static WaitResponse Read(WireReader reader)
    {
        uint exitStatus = 0;
        DateTimeOffset? exitedAt = null;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: exitStatus = reader.UInt32(); break;
                case 2: exitedAt = reader.Time(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { ExitStatus = exitStatus, ExitedAt = exitedAt };
    }

    public void Write(WireWriter writer)
    {
        writer.UInt64(1, ExitStatus);
        writer.Time(2, ExitedAt);
    }
}

/// <summary>Task.Stats: io.containerd.cgroups.v1.Metrics or .v2.Metrics.</summary>
public sealed record StatsResponse : IWireMessage<StatsResponse>
{
    public WireAny? Stats { get; init; }

    public static StatsResponse Read(WireReader reader)
    {
        WireAny? stats = null;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: stats = reader.Message<WireAny>(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { Stats = stats };
    }

    public void Write(WireWriter writer)
    {
        writer.Message(1, Stats);
    }
}

/// <summary>Task.Connect.</summary>
public sealed record ConnectResponse : IWireMessage<ConnectResponse>
{
    public uint ShimPid { get; init; }

    public uint TaskPid { get; init; }

    public string Version { get; init; } = "";

    public static ConnectResponse Read(WireReader reader)
    {
        uint shimPid = 0;
        uint taskPid = 0;
        var version = "";
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: shimPid = reader.UInt32(); break;
                case 2: taskPid = reader.UInt32(); break;
                case 3: version = reader.String(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { ShimPid = shimPid, TaskPid = taskPid, Version = version };
    }

    public void Write(WireWriter writer)
    {
        writer.UInt64(1, ShimPid);
        writer.UInt64(2, TaskPid);
        writer.String(3, Version);
    }
}
