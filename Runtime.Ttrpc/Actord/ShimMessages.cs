using Runtime.Ttrpc.Wire;

namespace Runtime.Ttrpc.Actord;

/// <summary>actord.shim.v1.Shim, ReopenLog.</summary>
public sealed record ReopenLogRequest : IWireMessage<ReopenLogRequest>
{
    public string ContainerId { get; init; } = "";

    public static ReopenLogRequest Read(WireReader reader)
    {
        var containerId = "";
        while (reader.Next(out var field))
        {
            if (field == 1)
                containerId = reader.String();
            else
                reader.Skip();
        }
        return new() { ContainerId = containerId };
    }

    public void Write(WireWriter writer) => writer.String(1, ContainerId);
}

public enum StreamKind
{
    Stdin,
    Stdout,
    Stderr,
}

/// <summary>
/// actord.shim.v1.Shim, OpenStream. After the answer the connection that it came on belongs to the stream: raw bytes, one way,
/// its close is the end.
/// </summary>
public sealed record OpenStreamRequest : IWireMessage<OpenStreamRequest>
{
    public string ContainerId { get; init; } = "";

    /// <summary>An exec that is added but not started; empty: attaches to the container's first process.</summary>
    public string ExecId { get; init; } = "";

    public StreamKind Kind { get; init; }

    /// <summary>Attached stdin: its end is the end of the container's stdin.</summary>
    public bool ClosesStdin { get; init; }

    public static OpenStreamRequest Read(WireReader reader)
    {
        var (containerId, execId, kind, closesStdin) = ("", "", 0u, false);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: containerId = reader.String(); break;
                case 2: execId = reader.String(); break;
                case 3: kind = reader.UInt32(); break;
                case 4: closesStdin = reader.Bool(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { ContainerId = containerId, ExecId = execId, Kind = (StreamKind)kind, ClosesStdin = closesStdin };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, ContainerId);
        writer.String(2, ExecId);
        writer.UInt64(3, (ulong)Kind);
        writer.Bool(4, ClosesStdin);
    }
}
