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
