namespace Runtime.Ttrpc.Wire;

/// <summary>google.protobuf.Empty, and every response without fields.</summary>
public sealed record Empty : IWireMessage<Empty>
{
    public static Empty Value { get; } = new();

    public static Empty Read(WireReader reader)
    {
        while (reader.Next(out _))
            reader.Skip();
        return Value;
    }

    public void Write(WireWriter writer)
    {
    }
}
