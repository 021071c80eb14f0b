using System.IO.Compression;
using Runtime.Faults;
using ZstdSharp;

namespace Runtime.Oci.Layers;

/// <summary>How the blob of a layer is compressed.</summary>
public enum LayerCompression
{
    None,
    Gzip,
    Zstd,
}

/// <summary>Finds out how a layer is compressed, and decompresses it while it is read.</summary>
public static class LayerDecompression
{
    private const int MagicBytes = 6;

    /// <summary>Sized so that a read of a socket or file is not cut into gzip's own 8 KiB pieces.</summary>
    private const int ReadAhead = 64 * 1024;

    /// <summary>By the end of the media type (<c>+gzip</c>, <c>.tar.gzip</c>, <c>+zstd</c>); null where it does not say.</summary>
    public static LayerCompression? Of(string mediaType)
    {
        if (mediaType.EndsWith("gzip", StringComparison.Ordinal))
            return LayerCompression.Gzip;
        if (mediaType.EndsWith("zstd", StringComparison.Ordinal))
            return LayerCompression.Zstd;
        return mediaType.EndsWith("tar", StringComparison.Ordinal) ? LayerCompression.None : null;
    }

    /// <summary>By magic number: what the bytes are, whatever a media type says (registries hold layers with a wrong one).</summary>
    /// <exception cref="FaultException">InvalidArgument <c>layer.unsupported-compression</c> for xz and bzip2.</exception>
    public static LayerCompression Detect(ReadOnlySpan<byte> start)
    {
        if (start.StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b, 0x08]))
            return LayerCompression.Gzip;
        // RFC 8878: a frame, or a skippable one (0x184D2A50 to 5F).
        if (start.StartsWith((ReadOnlySpan<byte>)[0x28, 0xb5, 0x2f, 0xfd])
            || start is [>= 0x50 and <= 0x5f, 0x2a, 0x4d, 0x18, ..])
            return LayerCompression.Zstd;
        if (start.StartsWith((ReadOnlySpan<byte>)[0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0]) || start.StartsWith("BZh"u8))
            throw new FaultException(
                FaultKind.InvalidArgument, "layer.unsupported-compression",
                "The layer is compressed with xz or bzip2, which OCI does not know: gzip, zstd and none are supported.");
        return LayerCompression.None;
    }

    /// <summary>A stream of the uncompressed layer. Gzip members and zstd frames may follow each other.</summary>
    /// <param name="source">Closed with the result.</param>
    public static async Task<Stream> OpenAsync(Stream source, CancellationToken cancel = default)
    {
        var start = new byte[MagicBytes];
        var count = await source.ReadAtLeastAsync(start, MagicBytes, throwOnEndOfStream: false, cancel);
        var whole = new PrefixedStream(start.AsMemory(0, count), source);
        return Detect(start.AsSpan(0, count)) switch
        {
            LayerCompression.Gzip => new DecompressedStream(new GZipStream(new BufferedStream(whole, ReadAhead), CompressionMode.Decompress)),
            LayerCompression.Zstd => new DecompressedStream(new DecompressionStream(whole, ReadAhead, leaveOpen: false)),
            _ => whole,
        };
    }
}
