using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Oci.Layers;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Layers;

/// <summary>Layers that try to get out of their root. Beside the root lies a directory that must stay as it is.</summary>
public sealed class LayerEscapeTests : IDisposable
{
    private readonly TempDirectory _place = new();

    public LayerEscapeTests()
    {
        Directory.CreateDirectory(_place["root"]);
        Directory.CreateDirectory(_place["outside"]);
        File.WriteAllText(_place["outside/secret"], "secret");
    }

    public void Dispose()
    {
        Assert.Equal(["secret"], Directory.GetFileSystemEntries(_place["outside"]).Select(Path.GetFileName));
        Assert.Equal("secret", File.ReadAllText(_place["outside/secret"]));
        Assert.Equal(1u, FileStatus.Of(_place["outside/secret"]).Links);
        Assert.Equal(2, Directory.GetFileSystemEntries(_place.Path).Length);
        _place.Dispose();
    }

    private Task<LayerReport> Apply(TarBuilder tar, WhiteoutMode whiteouts = WhiteoutMode.Delete) => LayerApplier.ApplyAsync(
        tar.ToStream(), _place["root"], new() { Whiteouts = whiteouts }, TestContext.Current.CancellationToken);

    private async Task<string> Refused(TarBuilder tar) =>
        (await Assert.ThrowsAsync<FaultException>(() => Apply(tar))).Fault.Code;

    [Theory]
    [InlineData("../outside/x")]
    [InlineData("a/../../outside/x")]
    [InlineData("/../x")]
    [InlineData("..")]
    [InlineData("./a/b/../../../x")]
    public async Task A_name_that_goes_up_above_the_root_is_refused(string name)
    {
        Assert.Equal("layer.escapes-root", await Refused(new TarBuilder().File(name)));
        Assert.Equal("layer.escapes-root", await Refused(new TarBuilder().Directory(name)));
        Assert.Equal("layer.escapes-root", await Refused(new TarBuilder().Pax(("path", name)).File("a")));
    }

    [Fact]
    public async Task A_hard_link_target_that_goes_up_above_the_root_is_refused()
    {
        Assert.Equal("layer.escapes-root", await Refused(new TarBuilder().HardLink("a", "../outside/secret")));
        Assert.Equal("layer.escapes-root", await Refused(new TarBuilder().HardLink("a", "x/../../outside/secret")));
    }

    [Fact]
    public async Task An_absolute_name_is_taken_relative_to_the_root()
    {
        await Apply(new TarBuilder().File(_place["outside/x"]));
        Assert.True(File.Exists(_place["root" + _place["outside/x"]]));
    }

    [Fact]
    public async Task A_hard_link_that_clears_its_own_target_away_is_refused() =>
        Assert.Equal("layer.link-target-missing", await Refused(
            new TarBuilder().Directory("a").File("a/b").HardLink("a", "a/b")));

    [Fact]
    public async Task An_absolute_hard_link_target_is_taken_relative_to_the_root()
    {
        Assert.Equal("layer.link-target-missing", await Refused(new TarBuilder().HardLink("a", _place["outside/secret"])));
        await Apply(new TarBuilder().File("b", "mine").HardLink("c", "/b"));
        Assert.Equal("mine", File.ReadAllText(_place["root/c"]));
    }

    [Fact]
    public async Task A_file_below_an_absolute_symlink_stays_inside()
    {
        await Apply(new TarBuilder().Symlink("s", _place["outside"]).File("s/x", "inside"));
        Assert.Equal("inside", File.ReadAllText(_place["root" + _place["outside/x"]]));
    }

    [Fact]
    public async Task A_file_below_a_relative_symlink_stays_inside()
    {
        await Apply(new TarBuilder().Symlink("s", "../outside").File("s/x", "inside"));
        Assert.Equal("inside", File.ReadAllText(_place["root/outside/x"]));
    }

    [Fact]
    public async Task A_chain_of_symlinks_stays_inside()
    {
        await Apply(new TarBuilder().Directory("d").Symlink("d/up", "..").Symlink("d/upup", "up/..").Symlink("far", "d/upup/../..")
            .File("far/outside/secret", "inside"));
        Assert.Equal("inside", File.ReadAllText(_place["root/outside/secret"]));
    }

    [Fact]
    public async Task A_hard_link_through_a_symlinked_parent_stays_inside()
    {
        Assert.Equal("layer.link-target-missing", await Refused(new TarBuilder().Symlink("s", _place["outside"]).HardLink("a", "s/secret")));
        Assert.Equal("layer.link-target-missing", await Refused(new TarBuilder().Symlink("s", "../outside").HardLink("a", "s/secret")));
    }

    [Fact]
    public async Task A_hard_link_to_a_symlink_links_the_symlink()
    {
        await Apply(new TarBuilder().Symlink("s", _place["outside/secret"]).HardLink("a", "s").File("a", "mine"));
        Assert.Equal("mine", File.ReadAllText(_place["root/a"]));
        Assert.Equal(_place["outside/secret"], new FileInfo(_place["root/s"]).LinkTarget);
    }

    [Fact]
    public async Task A_file_never_writes_through_a_symlink_of_its_name()
    {
        await Apply(new TarBuilder().Symlink("s", _place["outside/secret"]).File("s", "mine"));
        Assert.Equal("mine", File.ReadAllText(_place["root/s"]));
    }

    [Fact]
    public async Task A_directory_never_takes_a_symlink_of_its_name_over()
    {
        await Apply(new TarBuilder().Symlink("s", _place["outside"]).Directory("s", 0b111_111_111).File("s/x"));
        Assert.True(File.Exists(_place["root/s/x"]));
        Assert.NotEqual(0b111_111_111u, FileStatus.Of(_place["outside"]).Permissions);
    }

    [Fact]
    public async Task A_directory_that_becomes_a_symlink_is_not_remembered()
    {
        await Apply(new TarBuilder().Directory("d").File("d/a").Symlink("d", _place["outside"]).File("d/b"));
        Assert.True(File.Exists(_place["root" + _place["outside/b"]]));
        Assert.False(File.Exists(_place["root/d/a"]));
    }

    [Theory]
    [InlineData(WhiteoutMode.Delete)]
    [InlineData(WhiteoutMode.Overlay)]
    public async Task A_whiteout_below_a_symlink_deletes_nothing_outside(WhiteoutMode whiteouts)
    {
        await Apply(new TarBuilder().Symlink("s", _place["outside"]).File("s/.wh.secret", ""), whiteouts);
        await Apply(new TarBuilder().Symlink("t", "../outside").File("t/.wh..wh..opq", ""), whiteouts);
    }

    [Theory]
    [InlineData(".wh...")]
    [InlineData(".wh..")]
    [InlineData(".wh.")]
    [InlineData("a/.wh...")]
    public async Task A_whiteout_of_no_name_is_refused(string name) =>
        Assert.Equal("layer.malformed", await Refused(new TarBuilder().File(name, "")));

    [Fact]
    public async Task A_symlink_loop_ends()
    {
        var fault = await Assert.ThrowsAsync<FaultException>(() =>
            Apply(new TarBuilder().Symlink("a", "b").Symlink("b", "a").File("a/x")));
        Assert.Equal(FaultKind.InvalidArgument, fault.Fault.Kind);
        await Assert.ThrowsAsync<FaultException>(() => Apply(new TarBuilder().Symlink("c", "c/d").File("c/x")));
    }

    [Fact]
    public async Task A_sparse_name_cannot_escape_either() =>
        Assert.Equal("layer.escapes-root", await Refused(new TarBuilder()
            .Pax(("GNU.sparse.name", "../outside/x"), ("GNU.sparse.size", "512"), ("GNU.sparse.map", "0,1")).File("ok")));
}
