using System.Buffers.Binary;

namespace Runtime.Ttrpc.Rpc;

public enum FrameType : byte
{
    Request = 1,
    Response = 2,
    Data = 3,
}

/// <summary>
/// The ten bytes in front of each ttrpc message (ttrpc PROTOCOL.md): length of the payload (u32, big-endian), stream (u32,
/// big-endian, odd: clients count 1, 3, 5 ...), type, flags.
/// </summary>
public readonly record struct FrameHeader(int Length, uint Stream, FrameType Type, byte Flags)
{
    public const int Bytes = 10;

    /// <summary>Of a payload; what is longer is answered with ResourceExhausted and skipped.</summary>
    public const int MaxPayload = 4 * 1024 * 1024;

    public const byte RemoteClosed = 1;
    public const byte RemoteOpen = 2;
    public const byte NoData = 4;

    /// <summary>A length above int.MaxValue reads as negative.</summary>
    public static FrameHeader Read(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadInt32BigEndian(source), BinaryPrimitives.ReadUInt32BigEndian(source[4..]), (FrameType)source[8], source[9]);

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteInt32BigEndian(target, Length);
        BinaryPrimitives.WriteUInt32BigEndian(target[4..], Stream);
        target[8] = (byte)Type;
        target[9] = Flags;
    }
}
