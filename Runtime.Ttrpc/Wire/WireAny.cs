namespace Runtime.Ttrpc.Wire;

/// <summary>google.protobuf.Any: a message with the name of its type. containerd writes the bare name, without a host.</summary>
public sealed record WireAny(string TypeUrl, ReadOnlyMemory<byte> Value) : IWireMessage<WireAny>
{
    public static WireAny Pack<T>(string typeUrl, T message)
        where T : IWireMessage<T> => new(typeUrl, WireWriter.ToArray(message));

    /// <summary>The name after the last slash.</summary>
    public string TypeName => TypeUrl[(TypeUrl.LastIndexOf('/') + 1)..];

    public static WireAny Read(WireReader reader)
    {
        var url = "";
        ReadOnlyMemory<byte> value = default;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: url = reader.String(); break;
                case 2: value = reader.Bytes().ToArray(); break;
                default: reader.Skip(); break;
            }
        }
        return new(url, value);
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, TypeUrl);
        writer.Bytes(2, Value.Span);
    }
}
