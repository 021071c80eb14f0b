using System.Text;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Oci.Layers;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Layers;

/// <summary>The formats of tar, through the applier. These tests need root only for owners and devices.</summary>
public sealed class TarFormatTests : IDisposable
{
    private readonly TempDirectory _root = new();

    public void Dispose() => _root.Dispose();

    private Task<LayerReport> Apply(TarBuilder tar, LayerOptions? options = null) =>
        LayerApplier.ApplyAsync(tar.ToStream(), _root.Path, options, TestContext.Current.CancellationToken);

    private async Task<string> Refused(TarBuilder tar, LayerOptions? options = null) =>
        (await Assert.ThrowsAsync<FaultException>(() => Apply(tar, options))).Fault.Code;

    [Fact]
    public async Task Files_directories_and_symlinks_keep_content_mode_owner_and_time()
    {
        var report = await Apply(new TarBuilder()
            .Directory("dir/", 0b001_111_111_111, mtime: 1_500_000_000)
            .Add('0', "dir/file", "hello"u8.ToArray(), mode: 0b100_111_101_101, uid: 12, gid: 34)
            .Symlink("dir/link", "file"));
        Assert.Equal("hello", await File.ReadAllTextAsync(_root["dir/link"], TestContext.Current.CancellationToken));
        var file = FileStatus.Of(_root["dir/file"]);
        Assert.Equal((0b100_111_101_101u, 12u, 34u), (file.Permissions, file.Uid, file.Gid));
        Assert.Equal(1_600_000_000, file.ModifiedSeconds);
        var directory = FileStatus.Of(_root["dir"]);
        Assert.Equal((0b001_111_111_111u, 1_500_000_000L), (directory.Permissions, directory.ModifiedSeconds));
        Assert.Equal(1_600_000_000, FileStatus.Of(_root["dir/link"]).ModifiedSeconds);
        Assert.Equal(new LayerReport(5, 3, 3, 0, 0), report);
    }

    [Fact]
    public async Task Missing_parents_are_made_with_mode_0755()
    {
        await Apply(new TarBuilder().File("a/b/c"));
        Assert.Equal(0b111_101_101u, FileStatus.Of(_root["a"]).Permissions);
        Assert.Equal(0b111_101_101u, FileStatus.Of(_root["a/b"]).Permissions);
    }

    [Fact]
    public async Task Pax_records_override_the_header()
    {
        var name = string.Join('/', Enumerable.Repeat(new string('n', 90), 5));
        await Apply(new TarBuilder()
            .Pax(("path", name), ("uid", "3000000000"), ("gid", "77"), ("mtime", "1234567890.123456789"))
            .File("short"));
        var status = FileStatus.Of(_root[name]);
        Assert.Equal((3_000_000_000u, 77u, 1_234_567_890L, 123_456_789u),
            (status.Uid, status.Gid, status.ModifiedSeconds, status.ModifiedNanoseconds));
        Assert.False(File.Exists(_root["short"]));
    }

    [Fact]
    public async Task A_time_before_1970_with_a_fraction_is_kept()
    {
        await Apply(new TarBuilder().Pax(("mtime", "-1.25")).File("old"));
        var status = FileStatus.Of(_root["old"]);
        Assert.Equal((-2L, 750_000_000u), (status.ModifiedSeconds, status.ModifiedNanoseconds));
    }

    [Fact]
    public async Task Gnu_long_names_and_links_are_read()
    {
        var name = new string('d', 120) + "/" + new string('f', 200);
        var target = new string('t', 300);
        await Apply(new TarBuilder()
            .Add('L', "././@LongLink", [.. Encoding.UTF8.GetBytes(name), 0])
            .Add('K', "././@LongLink", [.. Encoding.UTF8.GetBytes(target), 0])
            .Symlink("cut", "cut"));
        Assert.Equal(target, new FileInfo(_root[name]).LinkTarget);
    }

    [Fact]
    public async Task A_ustar_prefix_is_put_before_the_name()
    {
        await Apply(new TarBuilder().Add('0', "name", "x"u8.ToArray(), change: header => TarBuilder.Put(header, 345, "some/prefix")));
        Assert.True(File.Exists(_root["some/prefix/name"]));
    }

    [Fact]
    public async Task Base_256_numbers_are_read()
    {
        await Apply(new TarBuilder().Add('0', "big", "x"u8.ToArray(), change: header =>
        {
            new byte[] { 0x80, 0, 0, 0, 0, 0x30, 0x00, 0x01 }.CopyTo(header, 108);
            new byte[] { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xf6 }.CopyTo(header, 136);
        }));
        var status = FileStatus.Of(_root["big"]);
        Assert.Equal((0x300001u, -10L), (status.Uid, status.ModifiedSeconds));
    }

    [Fact]
    public async Task Names_that_are_no_utf8_keep_their_bytes()
    {
        await Apply(new TarBuilder().Add('0', "x", "1"u8.ToArray(), change: header => header[0] = 0xE9));
        var listed = await Tool.RunAsync("ls", "-b", _root.Path);
        // .NET cannot remove such a file: its own string of the name is another one.
        DirectoryTree.Clear(_root.Path);
        Assert.Equal("\\351", listed.Trim());
    }

    [Fact]
    public async Task A_global_header_changes_nothing_and_one_that_would_rename_is_refused()
    {
        await Apply(new TarBuilder().Pax('g', ("comment", "0123"), ("mtime", "1")).File("a"));
        Assert.Equal(1_600_000_000, FileStatus.Of(_root["a"]).ModifiedSeconds);
        Assert.Equal("layer.malformed", await Refused(new TarBuilder().Pax('g', ("path", "b")).File("a")));
    }

    [Fact]
    public async Task Pax_sparse_formats_write_holes()
    {
        var data = Encoding.ASCII.GetBytes(new string('A', 512) + new string('B', 512));
        await Apply(new TarBuilder()
            .Pax(("GNU.sparse.size", "1048576"), ("GNU.sparse.numblocks", "2"), ("GNU.sparse.offset", "0"), ("GNU.sparse.numbytes", "512"),
                ("GNU.sparse.offset", "524288"), ("GNU.sparse.numbytes", "512"))
            .Add('0', "s00", data)
            .Pax(("GNU.sparse.name", "s01"), ("GNU.sparse.size", "1048576"), ("GNU.sparse.map", "0,512,524288,512"))
            .Add('0', "GNUSparseFile.1/s01", data)
            .Pax(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "s10"), ("GNU.sparse.realsize", "1048576"))
            .Add('0', "GNUSparseFile.1/s10", [.. Padded("2\n0\n512\n524288\n512\n"), .. data]));
        foreach (var name in (string[])["s00", "s01", "s10"])
        {
            var status = FileStatus.Of(_root[name]);
            Assert.Equal(1_048_576, status.Size);
            Assert.True(status.AllocatedBytes < 100_000, $"{name} takes {status.AllocatedBytes} bytes");
            var bytes = await File.ReadAllBytesAsync(_root[name], TestContext.Current.CancellationToken);
            Assert.Equal(((byte)'A', (byte)0, (byte)'B', (byte)0), (bytes[511], bytes[512], bytes[524288], bytes[1048575]));
        }
        Assert.False(Directory.Exists(_root["GNUSparseFile.1"]));
    }

    [Theory]
    [InlineData("0,512,256,512")] // overlap
    [InlineData("0,512,1048570,512")] // beyond the end
    [InlineData("0,1024,2048,512")] // more than the content
    [InlineData("0,512")] // less than the content
    [InlineData("0,512,9223372036854775807,512")] // overflow
    [InlineData("0,512,600")]
    public async Task A_sparse_map_that_does_not_fit_is_refused(string map)
    {
        Assert.Equal("layer.malformed", await Refused(new TarBuilder()
            .Pax(("GNU.sparse.size", "1048576"), ("GNU.sparse.map", map)).Add('0', "s", new byte[1024])));
    }

    [Fact]
    public async Task Hard_links_share_an_inode_and_leave_the_targets_attributes()
    {
        var report = await Apply(new TarBuilder()
            .Add('0', "a", "x"u8.ToArray(), mode: 0b100_111_101_101, uid: 5)
            .Add('1', "sub/b", link: "./a", mode: 0, uid: 9));
        var (a, b) = (FileStatus.Of(_root["a"]), FileStatus.Of(_root["sub/b"]));
        Assert.Equal(a.Inode, b.Inode);
        Assert.Equal((0b100_111_101_101u, 5u, 2u), (a.Permissions, a.Uid, a.Links));
        Assert.Equal(2, report.Inodes);
    }

    [Fact]
    public async Task A_later_entry_replaces_one_of_another_type()
    {
        await Apply(new TarBuilder()
            .Directory("a").File("a/b").File("a", "file now")
            .File("c").Directory("c").File("c/d")
            .Symlink("e", "c").Directory("e").File("e/only")
            .File("f").Symlink("f", "c"));
        Assert.Equal("file now", await File.ReadAllTextAsync(_root["a"], TestContext.Current.CancellationToken));
        Assert.True(File.Exists(_root["c/d"]));
        Assert.False(File.Exists(_root["c/only"]));
        Assert.True(File.Exists(_root["e/only"]));
        Assert.Equal("c", new FileInfo(_root["f"]).LinkTarget);
    }

    [Fact]
    public async Task Bytes_after_the_end_of_the_archive_are_read_but_not_applied()
    {
        var stream = new MemoryStream([.. new TarBuilder().File("a").ToArray(), .. new TarBuilder().File("b").ToArray()]);
        await LayerApplier.ApplyAsync(stream, _root.Path, cancel: TestContext.Current.CancellationToken);
        Assert.Equal(stream.Length, stream.Position);
        Assert.False(File.Exists(_root["b"]));
    }

    [Fact]
    public async Task An_empty_stream_and_one_without_trailer_are_layers()
    {
        var cancel = TestContext.Current.CancellationToken;
        Assert.Equal(new LayerReport(0, 0, 0, 0, 0), await LayerApplier.ApplyAsync(Stream.Null, _root.Path, cancel: cancel));
        await LayerApplier.ApplyAsync(new MemoryStream(new TarBuilder().File("a").Cut()), _root.Path, cancel: cancel);
        Assert.True(File.Exists(_root["a"]));
    }

    [Theory]
    [InlineData(100)] // in a header
    [InlineData(600)] // in a content
    [InlineData(1030)] // in the second header
    public async Task A_stream_that_ends_inside_of_an_entry_is_refused(int length)
    {
        var cut = new TarBuilder().File("a", new string('x', 500)).File("b").Cut()[..length];
        var fault = await Assert.ThrowsAsync<FaultException>(() =>
            LayerApplier.ApplyAsync(new MemoryStream(cut), _root.Path, cancel: TestContext.Current.CancellationToken));
        Assert.Equal("layer.truncated", fault.Fault.Code);
    }

    [Fact]
    public async Task Malformed_headers_are_refused()
    {
        var damaged = new TarBuilder().File("a").ToArray();
        damaged[0] ^= 1;
        var fault = await Assert.ThrowsAsync<FaultException>(() =>
            LayerApplier.ApplyAsync(new MemoryStream(damaged), _root.Path, cancel: TestContext.Current.CancellationToken));
        Assert.Equal("layer.malformed", fault.Fault.Code);
        Assert.Equal("layer.malformed", await Refused(new TarBuilder().Add('0', "a", change: h => TarBuilder.Put(h, 124, "zzz"))));
        Assert.Equal("layer.malformed", await Refused(new TarBuilder().Add('0', "a", change: h => h.AsSpan(124, 12).Fill(0xff))));
        Assert.Equal("layer.malformed", await Refused(new TarBuilder().Add('0', "")));
        Assert.Equal("layer.malformed", await Refused(new TarBuilder().Add('0', ".")));
        Assert.Equal("layer.malformed", await Refused(new TarBuilder().File(new string('c', 50)).Pax(("path", new string('c', 256))).File("b")));
        Assert.Equal("layer.malformed", await Refused(new TarBuilder().Pax(("path", "a\0b")).File("b")));
        Assert.Equal("layer.malformed", await Refused(new TarBuilder().Add('x', "pax", "99 path=b\n"u8.ToArray()).File("b")));
        Assert.Equal("layer.malformed", await Refused(new TarBuilder().Pax(("size", "-5")).File("b")));
        Assert.Equal("layer.unsupported-entry", await Refused(new TarBuilder().Add('M', "volume")));
    }

    [Fact]
    public async Task Limits_are_kept()
    {
        Assert.Equal("layer.too-big", await Refused(new TarBuilder().Pax(("comment", new string('x', 1024 * 1024))).File("a")));
        Assert.Equal("layer.too-big", await Refused(new TarBuilder().Add('x', "pax", size: 1L << 33).File("a")));
        Assert.Equal("layer.too-big", await Refused(new TarBuilder().File("a").File("b"), new() { MaxEntries = 1 }));
        Assert.Equal("layer.too-big", await Refused(new TarBuilder().File("a", new string('x', 5000)), new() { MaxBytes = 4000 }));
    }

    private static byte[] Padded(string text)
    {
        var bytes = new byte[(text.Length + 511) / 512 * 512];
        Encoding.ASCII.GetBytes(text, bytes);
        return bytes;
    }
}
