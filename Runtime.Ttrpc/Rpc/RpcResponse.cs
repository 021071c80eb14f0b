using Runtime.Faults;
using Runtime.Ttrpc.Wire;

namespace Runtime.Ttrpc.Rpc;

/// <summary>ttrpc.Response, decoded in place: status (1, google.rpc.Status: code 1, message 2), payload (2).</summary>
public readonly ref struct RpcResponse
{
    public int Code { get; private init; }

    public string Message { get; private init; }

    public ReadOnlySpan<byte> Payload { get; private init; }

    public static RpcResponse Read(WireReader reader)
    {
        var (code, message) = (0, "");
        ReadOnlySpan<byte> payload = default;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1:
                    var status = reader.Nested();
                    while (status.Next(out var part))
                    {
                        switch (part)
                        {
                            case 1: code = status.Int32(); break;
                            case 2: message = status.String(); break;
                            default: status.Skip(); break;
                        }
                    }
                    break;
                case 2: payload = reader.Bytes(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { Code = code, Message = message, Payload = payload };
    }

    public static void WriteFrame<T>(WireWriter writer, uint stream, T payload)
        where T : IWireMessage<T>
    {
        var frame = writer.Length;
        writer.Reserve(FrameHeader.Bytes);
        writer.Message(2, payload);
        Finish(writer, frame, stream);
    }

    public static void WriteFrame(WireWriter writer, uint stream, RuntimeFault fault)
    {
        var frame = writer.Length;
        writer.Reserve(FrameHeader.Bytes);
        var status = writer.Begin(1);
        writer.Int64(1, StatusCode.Of(fault.Kind));
        writer.String(2, fault.Message);
        writer.End(status);
        Finish(writer, frame, stream);
    }

    private static void Finish(WireWriter writer, int frame, uint stream) =>
        new FrameHeader(writer.Length - frame - FrameHeader.Bytes, stream, FrameType.Response, 0)
            .Write(writer.Patch(frame, FrameHeader.Bytes));
}
