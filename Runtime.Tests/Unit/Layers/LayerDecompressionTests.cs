using System.IO.Compression;
using CsCheck;
using Runtime.Faults;
using Runtime.Oci.Layers;
using Xunit;

namespace Runtime.Tests.Unit.Layers;

public sealed class LayerDecompressionTests
{
    private static async Task<byte[]> Read(byte[] blob)
    {
        await using var stream = await LayerDecompression.OpenAsync(new MemoryStream(blob), TestContext.Current.CancellationToken);
        var all = new MemoryStream();
        await stream.CopyToAsync(all, TestContext.Current.CancellationToken);
        return all.ToArray();
    }

    private static byte[] Gzip(byte[] bytes)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
            gzip.Write(bytes);
        return packed.ToArray();
    }

    private static byte[] Zstd(byte[] bytes)
    {
        using var compressor = new ZstdSharp.Compressor();
        compressor.SetParameter(ZstdSharp.Unsafe.ZSTD_cParameter.ZSTD_c_checksumFlag, 1);
        return compressor.Wrap(bytes).ToArray();
    }

    [Fact]
    public Task Every_compression_gives_the_bytes_back() => Gen.Byte.Array[0, 100_000].SampleAsync(async bytes =>
    {
        // A plain layer begins with a name, or with zeros: never like a compressed one.
        byte[] plain = [0, .. bytes];
        Assert.Equal(plain, await Read(plain));
        Assert.Equal(bytes, await Read(Gzip(bytes)));
        Assert.Equal(bytes, await Read(Zstd(bytes)));
    }, iter: 50, threads: 1);

    [Fact]
    public async Task Gzip_members_and_zstd_frames_may_follow_each_other()
    {
        Assert.Equal("onetwo"u8.ToArray(), await Read([.. Gzip("one"u8.ToArray()), .. Gzip("two"u8.ToArray())]));
        Assert.Equal("onetwo"u8.ToArray(), await Read([.. Zstd("one"u8.ToArray()), .. Zstd("two"u8.ToArray())]));
        byte[] skippable = [0x5e, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
        Assert.Equal("one"u8.ToArray(), await Read([.. skippable, .. Zstd("one"u8.ToArray())]));
    }

    [Fact]
    public async Task Damaged_or_cut_blobs_are_the_layers_fault()
    {
        var bytes = new byte[50_000];
        Random.Shared.NextBytes(bytes);
        foreach (var blob in (byte[][])[Gzip(bytes), Zstd(bytes)])
        {
            Assert.Equal("layer.malformed-compression", (await Assert.ThrowsAsync<FaultException>(() => Read(blob[..(blob.Length / 2)]))).Fault.Code);
            blob[blob.Length / 2] ^= 0xff;
            blob[blob.Length - 6] ^= 0xff;
            Assert.Equal("layer.malformed-compression", (await Assert.ThrowsAsync<FaultException>(() => Read(blob))).Fault.Code);
        }
    }

    [Fact]
    public async Task Xz_and_bzip2_are_refused_by_name()
    {
        Assert.Equal("layer.unsupported-compression", (await Assert.ThrowsAsync<FaultException>(() => Read("BZh91AY"u8.ToArray()))).Fault.Code);
        Assert.Equal(
            "layer.unsupported-compression",
            (await Assert.ThrowsAsync<FaultException>(() => Read([0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0]))).Fault.Code);
    }

    [Theory]
    [InlineData("application/vnd.oci.image.layer.v1.tar+gzip", LayerCompression.Gzip)]
    [InlineData("application/vnd.docker.image.rootfs.diff.tar.gzip", LayerCompression.Gzip)]
    [InlineData("application/vnd.oci.image.layer.v1.tar+zstd", LayerCompression.Zstd)]
    [InlineData("application/vnd.oci.image.layer.v1.tar", LayerCompression.None)]
    [InlineData("application/octet-stream", null)]
    public void Media_types_say_how(string mediaType, LayerCompression? expected) => Assert.Equal(expected, LayerDecompression.Of(mediaType));
}
