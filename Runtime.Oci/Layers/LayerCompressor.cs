using System.IO.Compression;
using ZstdSharp;

namespace Runtime.Oci.Layers;

/// <summary>Compresses a layer while it is written. Equal bytes come out equal, because nothing of time or place goes in.</summary>
public static class LayerCompressor
{
    /// <summary>What zstd's own tool takes; higher levels cost far more time than they save bytes.</summary>
    private const int ZstdLevel = 3;

    /// <param name="target">Stays open; complete once the result is disposed.</param>
    public static Stream Open(Stream target, Images.LayerCompression compression) => compression switch
    {
        Images.LayerCompression.Gzip => new GZipStream(target, CompressionLevel.Optimal, leaveOpen: true),
        Images.LayerCompression.Zstd => new CompressionStream(target, ZstdLevel, leaveOpen: true),
        _ => new BufferedStream(new KeptOpen(target), 256 * 1024),
    };

    private sealed class KeptOpen(Stream inner) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

        public override void Write(ReadOnlySpan<byte> buffer) => inner.Write(buffer);
    }
}
