namespace Runtime.Ttrpc.Wire;

/// <summary>A message that is serialized already.</summary>
public sealed record WireRaw(ReadOnlyMemory<byte> Bytes) : IWireMessage<WireRaw>
{
    public static WireRaw Read(WireReader reader) => new(reader.Rest().ToArray());

    public void Write(WireWriter writer) => writer.Raw(Bytes.Span);
}
