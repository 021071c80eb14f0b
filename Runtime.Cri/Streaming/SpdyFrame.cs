using System.Buffers.Binary;

namespace Runtime.Cri.Streaming;

/// <summary>Types of control frames that are used here. A frame of another type is passed over.</summary>
internal enum SpdyFrameType : ushort
{
    SynStream = 1,
    SynReply = 2,
    RstStream = 3,
    Settings = 4,
    Ping = 6,
    GoAway = 7,
    Headers = 8,
    WindowUpdate = 9,
}

[Flags]
internal enum SpdyFlags : byte
{
    None = 0,

    /// <summary>The sender's last frame of the stream.</summary>
    Fin = 1,

    /// <summary>Of SYN_STREAM: the receiver may not send.</summary>
    Unidirectional = 2,
}

/// <summary>Why a stream is reset; the numbers of the draft.</summary>
internal enum SpdyResetReason : uint
{
    ProtocolError = 1,
    InvalidStream = 2,
    RefusedStream = 3,
    Cancel = 5,
}

/// <summary>The first eight bytes of a frame. SPDY/3.1, section 2.2.</summary>
/// <remarks>
/// <code>
/// control  |1| version (15) | type (16) | flags (8) | length (24) | data
/// data     |0| stream id (31)           | flags (8) | length (24) | data
/// </code>
/// </remarks>
/// <param name="StreamId">Of a data frame; a control frame has it in its data, or has none.</param>
/// <param name="Length">Bytes that follow.</param>
internal readonly record struct SpdyFrame(
    bool IsControl, ushort Version, SpdyFrameType Type, uint StreamId, SpdyFlags Flags, int Length)
{
    public const int HeaderBytes = 8;

    /// <summary>The version that SPDY/3.1 has on the wire.</summary>
    public const ushort WireVersion = 3;

    /// <summary>31 bits.</summary>
    public const uint StreamIdMax = 0x7FFF_FFFF;

    /// <summary>24 bits.</summary>
    public const int LengthMax = 0xFF_FFFF;

    private const uint ControlBit = 0x8000_0000;

    public static SpdyFrame Parse(ReadOnlySpan<byte> header)
    {
        var first = BinaryPrimitives.ReadUInt32BigEndian(header);
        var second = BinaryPrimitives.ReadUInt32BigEndian(header[4..]);
        var flags = (SpdyFlags)(second >> 24);
        var length = (int)(second & LengthMax);
        return (first & ControlBit) == 0
            ? new SpdyFrame(false, 0, 0, first, flags, length)
            : new SpdyFrame(true, (ushort)((first >> 16) & 0x7FFF), (SpdyFrameType)(first & 0xFFFF), 0, flags, length);
    }

    public static SpdyFrame Data(uint streamId, SpdyFlags flags, int length) => new(false, 0, 0, streamId, flags, length);

    public static SpdyFrame Control(SpdyFrameType type, SpdyFlags flags, int length) =>
        new(true, WireVersion, type, 0, flags, length);

    public void Write(Span<byte> header)
    {
        BinaryPrimitives.WriteUInt32BigEndian(header, IsControl ? ControlBit | ((uint)Version << 16) | (uint)Type : StreamId);
        BinaryPrimitives.WriteUInt32BigEndian(header[4..], ((uint)Flags << 24) | (uint)Length);
    }
}

/// <summary>The peer does not speak SPDY as it should: the connection cannot go on.</summary>
internal sealed class SpdyProtocolException(string message) : IOException(message);
