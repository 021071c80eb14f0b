using System.Buffers.Binary;

namespace Runtime.Oci.Layers;

/// <summary>
/// A tar header block, POSIX.1-2017 pax "ustar Interchange Format" and the GNU variant: name 100, mode 8 @100, uid 8 @108, gid 8
/// @116, size 12 @124, mtime 12 @136, checksum 8 @148, type 1 @156, link 100 @157, magic and version 8 @257, uname 32 @265,
/// gname 32 @297, major 8 @329, minor 8 @337, then ustar: prefix 155 @345; star: prefix 131 @345, "tar\0" @508;
/// GNU sparse: 4 x (offset 12, length 12) @386, more 1 @482, real size 12 @483.
/// </summary>
internal static class TarFormat
{
    public const int BlockSize = 512;

    public static ReadOnlySpan<byte> Field(ReadOnlySpan<byte> block, int offset, int length)
    {
        var field = block.Slice(offset, length);
        var end = field.IndexOf((byte)0);
        return end < 0 ? field : field[..end];
    }

    /// <summary>Where the prefix of a name can be; none in GNU's format, which uses the room otherwise.</summary>
    public static ReadOnlySpan<byte> Prefix(ReadOnlySpan<byte> block)
    {
        if (!block.Slice(257, 6).SequenceEqual("ustar\0"u8))
            return default;
        return Field(block, 345, block.Slice(508, 4).SequenceEqual("tar\0"u8) ? 131 : 155);
    }

    public static bool IsGnu(ReadOnlySpan<byte> block) => block.Slice(257, 8).SequenceEqual("ustar  \0"u8);

    public static bool IsZero(ReadOnlySpan<byte> block) => block.IndexOfAnyExcept((byte)0) < 0;

    /// <summary>The sum of all bytes, with blanks for the checksum itself. Some old writers summed signed bytes.</summary>
    public static void Check(ReadOnlySpan<byte> block)
    {
        var (unsigned, signed) = (8L * ' ', 8L * ' ');
        for (var i = 0; i < BlockSize; i++)
        {
            if (i is >= 148 and < 156)
                continue;
            unsigned += block[i];
            signed += (sbyte)block[i];
        }
        var expected = Number(block.Slice(148, 8), "checksum");
        if (expected != unsigned && expected != signed)
            throw LayerFault.Malformed("A tar header has a wrong checksum: this is no tar stream, or a damaged one.");
    }

    /// <summary>
    /// Octal digits with blanks around, ended by a blank, a NUL or the field's end; or, with the first bit set, base-256: a signed
    /// big-endian number in the remaining bits (GNU, star).
    /// </summary>
    public static long Number(ReadOnlySpan<byte> field, string what)
    {
        if ((field[0] & 0x80) != 0)
            return Base256(field, what);
        var text = field.TrimStart((byte)' ');
        var end = text.IndexOfAny((byte)0, (byte)' ');
        if (end >= 0)
            text = text[..end];
        long value = 0;
        foreach (var digit in text)
        {
            if (digit is < (byte)'0' or > (byte)'7' || value > long.MaxValue >> 3)
                throw LayerFault.Malformed($"A tar header has a {what} that is no number.");
            value = value << 3 | (uint)(digit - '0');
        }
        return value;
    }

    public static uint Id(ReadOnlySpan<byte> field, string what)
    {
        var value = Number(field, what);
        return value is >= 0 and < uint.MaxValue
            ? (uint)value
            : throw LayerFault.Malformed($"A tar header has a {what} of {value}, which no system can have.");
    }

    private static long Base256(ReadOnlySpan<byte> field, string what)
    {
        var negative = (field[0] & 0x40) != 0;
        var fill = negative ? (byte)0xFF : (byte)0;
        Span<byte> low = stackalloc byte[8];
        low.Fill(fill);
        Span<byte> all = stackalloc byte[12];
        field.CopyTo(all);
        all = all[..field.Length];
        all[0] = (byte)(negative ? all[0] | 0x80 : all[0] & 0x7F);
        var high = all[..Math.Max(0, all.Length - 8)];
        all[high.Length..].CopyTo(low[(8 - (all.Length - high.Length))..]);
        if (high.IndexOfAnyExcept(fill) >= 0 || (!high.IsEmpty && (low[0] & 0x80) != (fill & 0x80)))
            throw LayerFault.Malformed($"A tar header has a {what} beyond 64 bits.");
        return BinaryPrimitives.ReadInt64BigEndian(low);
    }
}
