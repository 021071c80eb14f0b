using Runtime.Linux.Files;
using Runtime.Oci.Layers;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Layers;

/// <summary>Whiteouts as deletions, and as overlayfs' own marks.</summary>
public sealed class LayerWhiteoutTests : IDisposable
{
    private readonly TempDirectory _root = new();

    public void Dispose() => _root.Dispose();

    private Task<LayerReport> Apply(TarBuilder tar, WhiteoutMode whiteouts = WhiteoutMode.Delete, params string[] lowers) =>
        LayerApplier.ApplyAsync(
            tar.ToStream(), _root.Path, new() { Whiteouts = whiteouts, Lowers = [.. lowers] }, TestContext.Current.CancellationToken);

    private string[] Tree() => [.. Directory.EnumerateFileSystemEntries(_root.Path, "*", SearchOption.AllDirectories)
        .Select(path => Path.GetRelativePath(_root.Path, path)).Order(StringComparer.Ordinal)];

    [Fact]
    public async Task A_whiteout_deletes_what_the_parent_layers_have()
    {
        await Apply(new TarBuilder().File("keep").File("dir/a").File("dir/sub/b").File("gone"));
        await Apply(new TarBuilder().File(".wh.gone", "").File("dir/.wh.sub", "").File(".wh.never", ""));
        Assert.Equal(["dir", "dir/a", "keep"], Tree());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_whiteout_leaves_what_its_own_layer_has(bool whiteoutFirst)
    {
        await Apply(new TarBuilder().File("f", "old").File("d/old"));
        var tar = new TarBuilder();
        if (whiteoutFirst)
            tar.File(".wh.f", "").File(".wh.d", "");
        tar.File("f", "new").Directory("d").File("d/new");
        if (!whiteoutFirst)
            tar.File(".wh.f", "").File(".wh.d", "");
        await Apply(tar);
        Assert.Equal(["d", "d/new", "f"], Tree());
        Assert.Equal("new", File.ReadAllText(_root["f"]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_opaque_directory_loses_the_parents_content_and_keeps_its_own(bool opaqueFirst)
    {
        await Apply(new TarBuilder().File("d/old").File("d/both/old").File("d/sub/old"));
        var tar = new TarBuilder().Directory("d");
        if (opaqueFirst)
            tar.File("d/.wh..wh..opq", "");
        tar.File("d/new").File("d/both/new");
        if (!opaqueFirst)
            tar.File("d/.wh..wh..opq", "");
        await Apply(tar);
        Assert.Equal(["d", "d/both", "d/both/new", "d/new"], Tree());
    }

    [Fact]
    public async Task In_an_overlay_a_whiteout_is_a_device_and_an_opaque_directory_an_attribute()
    {
        await Apply(
            new TarBuilder().Directory("d").File("d/.wh..wh..opq", "").File("d/.wh.x", "").File(".wh.y", "").File("z/.wh.w", ""),
            WhiteoutMode.Overlay);
        Assert.Equal(["d", "d/x", "y", "z", "z/w"], Tree());
        Assert.All((string[])["d/x", "y", "z/w"], name => Assert.True(FileStatus.Of(_root[name]).IsWhiteout));
        Assert.Equal("y"u8.ToArray(), Xattrs.Get(_root["d"], "trusted.overlay.opaque"));
        Assert.Null(Xattrs.Get(_root["z"], "trusted.overlay.opaque"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task In_an_overlay_a_directory_of_a_whiteouts_name_is_opaque(bool whiteoutFirst)
    {
        var tar = new TarBuilder();
        if (whiteoutFirst)
            tar.File(".wh.d", "").File(".wh.f", "");
        tar.Directory("d").File("d/a").File("f");
        if (!whiteoutFirst)
            tar.File(".wh.d", "").File(".wh.f", "");
        await Apply(tar, WhiteoutMode.Overlay);
        Assert.Equal(["d", "d/a", "f"], Tree());
        Assert.Equal("y"u8.ToArray(), Xattrs.Get(_root["d"], "trusted.overlay.opaque"));
        Assert.True(FileStatus.Of(_root["f"]).IsFile);
    }

    [Fact]
    public async Task A_layer_cannot_bring_overlay_attributes_of_its_own()
    {
        var report = await Apply(new TarBuilder()
            .Pax(("SCHILY.xattr.trusted.overlay.redirect", "/etc"), ("SCHILY.xattr.user.overlay.opaque", "y"), ("SCHILY.xattr.user.mine", "1"))
            .Directory("d"), WhiteoutMode.Overlay);
        Assert.Equal(["user.mine"], Xattrs.List(_root["d"]));
        Assert.Equal(2, report.SkippedXattrs);
    }

    [Fact]
    public async Task A_parent_that_the_layer_leaves_out_is_as_in_the_layers_below()
    {
        using var lower = new TempDirectory();
        await LayerApplier.ApplyAsync(
            new TarBuilder().Add('5', "tmp", mode: 0b001_111_111_111, uid: 7, gid: 8).Directory("usr/lib").Symlink("lib", "usr/lib").ToStream(),
            lower.Path, cancel: TestContext.Current.CancellationToken);
        await Apply(new TarBuilder().File("tmp/a").File("lib/b").File("other/c"), WhiteoutMode.Overlay, lower.Path);
        var status = FileStatus.Of(_root["tmp"]);
        Assert.Equal((0b001_111_111_111u, 7u, 8u), (status.Permissions, status.Uid, status.Gid));
        Assert.Equal(["lib", "other", "other/c", "tmp", "tmp/a", "usr", "usr/lib", "usr/lib/b"], Tree().Where(path => path != "lib/b"));
        Assert.Equal("usr/lib", new FileInfo(_root["lib"]).LinkTarget);
    }

    [Fact]
    public async Task A_hard_link_to_a_file_of_the_layers_below_copies_it_up()
    {
        using var lower = new TempDirectory();
        await LayerApplier.ApplyAsync(
            new TarBuilder().File("bin/a", "content", 0b111_101_101).ToStream(), lower.Path, cancel: TestContext.Current.CancellationToken);
        await Apply(new TarBuilder().HardLink("b", "bin/a"), WhiteoutMode.Overlay, lower.Path);
        Assert.Equal("content", File.ReadAllText(_root["b"]));
        Assert.Equal(FileStatus.Of(_root["bin/a"]).Inode, FileStatus.Of(_root["b"]).Inode);
        Assert.Equal(0b111_101_101u, FileStatus.Of(_root["b"]).Permissions);
    }
}
