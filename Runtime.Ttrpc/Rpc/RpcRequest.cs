using Runtime.Ttrpc.Wire;

namespace Runtime.Ttrpc.Rpc;

/// <summary>
/// ttrpc.Request, decoded in place: service (1), method (2), payload (3), timeout in ns (4), metadata (5: key, value).
/// </summary>
public readonly ref struct RpcRequest
{
    public ReadOnlySpan<byte> Service { get; private init; }

    public ReadOnlySpan<byte> Method { get; private init; }

    public ReadOnlySpan<byte> Payload { get; private init; }

    /// <summary>0 for none.</summary>
    public long TimeoutNano { get; private init; }

    public static RpcRequest Read(WireReader reader)
    {
        ReadOnlySpan<byte> service = default, method = default, payload = default;
        var timeout = 0L;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: service = reader.Bytes(); break;
                case 2: method = reader.Bytes(); break;
                case 3: payload = reader.Bytes(); break;
                case 4: timeout = reader.Int64(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { Service = service, Method = method, Payload = payload, TimeoutNano = timeout };
    }

    /// <summary>Appends a whole request frame.</summary>
    public static void WriteFrame<T>(
        WireWriter writer, uint stream, string service, string method, T payload, TimeSpan? timeout, string? space)
        where T : IWireMessage<T>
    {
        var frame = writer.Length;
        writer.Reserve(FrameHeader.Bytes);
        writer.String(1, service);
        writer.String(2, method);
        writer.Message(3, payload);
        if (timeout is { } limit)
            writer.Int64(4, Math.Max(1, (long)(limit.TotalMilliseconds * 1_000_000)));
        if (space is not null)
            writer.Entry(5, NamespaceKey, space);
        new FrameHeader(writer.Length - frame - FrameHeader.Bytes, stream, FrameType.Request, 0)
            .Write(writer.Patch(frame, FrameHeader.Bytes));
    }

    /// <summary>The metadata key that containerd carries its namespace in.</summary>
    public const string NamespaceKey = "containerd-namespace-ttrpc";
}
