using System.Buffers.Binary;
using System.Text;
using ICSharpCode.SharpZipLib;
using ICSharpCode.SharpZipLib.Zip.Compression;

namespace Runtime.Cri.Streaming;

/// <summary>
/// The header blocks that a peer sends on one connection: pieces of one zlib stream with a preset dictionary, so every block
/// has to be read, in order. SPDY/3.1, section 2.6.10.
/// </summary>
/// <remarks>
/// <code>u32 count, then for each: u32 length, name (lower case), u32 length, value (several are separated by NUL)</code>
/// </remarks>
internal sealed class SpdyHeaderReader
{
    /// <summary>A block when inflated. The field's streams have three short headers; a bomb ends here.</summary>
    public const int BlockBytesMax = 16 * 1024;

    /// <summary>Headers of one stream.</summary>
    public const int CountMax = 64;

    private readonly Inflater _inflater = new();

    /// <exception cref="SpdyProtocolException">Not a block, or one beyond the limits.</exception>
    public Dictionary<string, string> Read(byte[] block, int offset, int count) => Parse(Inflate(block, offset, count));

    /// <summary>Reads an inflated block.</summary>
    /// <exception cref="SpdyProtocolException">As <see cref="Read"/>.</exception>
    public static Dictionary<string, string> Parse(ReadOnlySpan<byte> block)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var count = TakeNumber(ref block);
        if (count > CountMax) throw new SpdyProtocolException($"A header block has {count} headers; {CountMax} are allowed.");
        for (var i = 0; i < count; i++)
        {
            var name = TakeText(ref block);
            if (name.Length == 0 || !headers.TryAdd(name, TakeText(ref block)))
                throw new SpdyProtocolException("A header block has an empty name, or one name twice.");
        }
        return block.IsEmpty ? headers : throw new SpdyProtocolException("A header block is longer than its headers.");
    }

    private ReadOnlySpan<byte> Inflate(byte[] block, int offset, int count)
    {
        var inflated = new byte[512];
        var length = 0;
        try
        {
            _inflater.SetInput(block, offset, count);
            while (true)
            {
                var got = _inflater.Inflate(inflated, length, inflated.Length - length);
                length += got;
                if (_inflater.IsNeedingDictionary) _inflater.SetDictionary(SpdyDictionary.Bytes);
                else if (_inflater.IsFinished) throw new SpdyProtocolException("The stream of header blocks has an end.");
                else if (got == 0 && length < inflated.Length) return inflated.AsSpan(0, length);
                else if (length == inflated.Length)
                {
                    if (length >= BlockBytesMax)
                        throw new SpdyProtocolException($"A header block has more than {BlockBytesMax} bytes.");
                    Array.Resize(ref inflated, length * 2);
                }
            }
        }
        // The library meets what cannot be inflated with any of these.
        catch (Exception wrong) when (wrong is SharpZipBaseException or ArgumentException or InvalidOperationException or IndexOutOfRangeException)
        {
            throw new SpdyProtocolException($"A header block cannot be inflated: {wrong.Message}");
        }
    }

    private static uint TakeNumber(ref ReadOnlySpan<byte> block)
    {
        if (block.Length < sizeof(uint)) throw new SpdyProtocolException("A header block is cut off.");
        var number = BinaryPrimitives.ReadUInt32BigEndian(block);
        block = block[sizeof(uint)..];
        return number;
    }

    private static string TakeText(ref ReadOnlySpan<byte> block)
    {
        var length = TakeNumber(ref block);
        if (length > block.Length) throw new SpdyProtocolException("A header block is cut off.");
        var text = Encoding.Latin1.GetString(block[..(int)length]);
        block = block[(int)length..];
        return text;
    }
}

/// <summary>
/// The header blocks of one connection that we send: none has a header, as the field's protocols answer nothing in them. So
/// no compressor is kept for each connection (a quarter of a megabyte): the zlib stream is made of stored blocks, RFC 1951,
/// section 3.2.4, each followed by an empty one, which is how the flush of a compressor looks.
/// </summary>
internal sealed class SpdyHeaderWriter
{
    // RFC 1950: deflate, 32 KiB window, with a dictionary; then the dictionary's Adler-32.
    private static ReadOnlySpan<byte> Start => [0x78, 0x20, 0xE3, 0xC6, 0xA7, 0xC2];

    // Length 4 and its complement, a count of 0 headers; length 0 and its complement.
    private static ReadOnlySpan<byte> NoHeaders => [0, 4, 0, 0xFB, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF];

    private bool _started;

    public byte[] NextEmptyBlock()
    {
        byte[] block = _started ? [.. NoHeaders] : [.. Start, .. NoHeaders];
        _started = true;
        return block;
    }
}
