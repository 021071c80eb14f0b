using CsCheck;
using ICSharpCode.SharpZipLib.Checksum;
using ICSharpCode.SharpZipLib.Zip.Compression;
using Runtime.Cri.Streaming;
using Xunit;

namespace Runtime.Tests.Unit.Streaming;

/// <summary>Frames and header blocks, against the draft and against what zlib makes of it.</summary>
public sealed class SpdyFormatTests
{
    [Fact]
    public void The_dictionary_is_the_drafts()
    {
        var sum = new Adler32();
        sum.Update(SpdyDictionary.Bytes);

        Assert.Equal(1423, SpdyDictionary.Bytes.Length);
        Assert.Equal(SpdyDictionary.Id, (uint)sum.Value);
    }

    [Fact]
    public void A_control_frame_has_version_type_flags_and_length_where_the_draft_has_them()
    {
        var bytes = new byte[8];
        SpdyFrame.Control(SpdyFrameType.SynStream, SpdyFlags.Fin, 0x010203).Write(bytes);

        Assert.Equal(Convert.FromHexString("8003000101010203"), bytes);
    }

    [Fact]
    public void A_data_frame_has_stream_flags_and_length_where_the_draft_has_them()
    {
        var bytes = new byte[8];
        SpdyFrame.Data(0x7FFFFFFF, SpdyFlags.Fin, SpdyFrame.LengthMax).Write(bytes);

        Assert.Equal(Convert.FromHexString("7FFFFFFF01FFFFFF"), bytes);
    }

    [Fact]
    public void Any_eight_bytes_are_read_as_they_are_written() =>
        Gen.Byte.Array[SpdyFrame.HeaderBytes].Sample(bytes =>
        {
            var again = new byte[SpdyFrame.HeaderBytes];
            SpdyFrame.Parse(bytes).Write(again);
            Assert.Equal(bytes, again);
        });

    // Made with zlib's deflateSetDictionary and Z_SYNC_FLUSH: two blocks of one connection.
    [Fact]
    public void Blocks_of_zlib_are_read_in_their_order()
    {
        var reader = new SpdyHeaderReader();
        var first = Convert.FromHexString("78F9E3C6A7C202A62346703A2B294A4DCC851625ACC525C03C01000000FFFF");
        var second = Convert.FromHexString("02A5474CA954501C404AEC2270E6B030B03000D29C459018CE04A57C26437300000000FFFF");

        Assert.Equal("stdin", Assert.Single(reader.Read(first, 0, first.Length)).Value);
        var headers = reader.Read(second, 0, second.Length);

        Assert.Equal(("error", "8080", "17"), (headers["StreamType"], headers["port"], headers["requestID"]));
    }

    [Fact]
    public void Our_blocks_are_a_stream_that_an_inflater_reads()
    {
        var writer = new SpdyHeaderWriter();
        var inflater = new Inflater();
        for (var i = 0; i < 3; i++)
        {
            inflater.SetInput(writer.NextEmptyBlock());
            var block = new byte[16];
            var length = inflater.Inflate(block);
            if (inflater.IsNeedingDictionary)
            {
                inflater.SetDictionary(SpdyDictionary.Bytes);
                length = inflater.Inflate(block);
            }
            Assert.Equal(4, length);
            Assert.Empty(SpdyHeaderReader.Parse(block.AsSpan(0, length)));
            Assert.True(inflater.IsNeedingInput);
        }
    }

    [Theory]
    [InlineData("00000001")]
    [InlineData("FFFFFFFF")]
    [InlineData("0000000100000001")]
    [InlineData("00000001FFFFFFFF61")]
    [InlineData("000000010000000000000000")]
    [InlineData("0000000200000001610000000162000000016100000001620")]
    [InlineData("0000000000")]
    public void What_is_no_block_is_refused(string hex) =>
        Assert.Throws<SpdyProtocolException>(() =>
            SpdyHeaderReader.Parse(Convert.FromHexString(hex.Length % 2 == 0 ? hex : hex[..^1])));

    [Fact]
    public void A_block_that_inflates_without_end_is_refused()
    {
        var deflater = new Deflater(9);
        deflater.SetDictionary(SpdyDictionary.Bytes);
        deflater.SetInput(new byte[1 << 20]);
        deflater.Flush();
        var block = new byte[1 << 16];
        var length = deflater.Deflate(block);

        var refused = Assert.Throws<SpdyProtocolException>(() => new SpdyHeaderReader().Read(block, 0, length));

        Assert.Contains("more than", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_no_zlib_are_refused_and_nothing_else() =>
        Gen.Byte.Array[0, 200].Sample(bytes =>
        {
            var reader = new SpdyHeaderReader();
            try
            {
                reader.Read(bytes, 0, bytes.Length);
            }
            catch (SpdyProtocolException)
            {
            }
        }, iter: 20_000);
}
