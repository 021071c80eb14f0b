using Runtime.Linux.Files;
using Runtime.Oci.Layers;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Layers;

/// <summary>What was an upper directory is one again when the layer that was made of it is unpacked; GNU tar reads it too.</summary>
public sealed class OverlayDiffTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task An_upper_directory_comes_back_as_it_was()
    {
        var longName = "deep/" + new string('d', 120);
        Directory.CreateDirectory(_directory["upper/deep"]);
        Directory.CreateDirectory(_directory["upper/replaced"]);
        await File.WriteAllTextAsync(_directory["upper/file"], "changed", Cancellation);
        await File.WriteAllTextAsync(_directory[$"upper/{longName}"], "long", Cancellation);
        await File.WriteAllTextAsync(_directory["upper/naïve"], "", Cancellation);
        Inodes.ChangeMode(_directory["upper/file"], 0b100_110_100_000);
        Inodes.ChangeOwner(_directory["upper/file"], 3_000_000, 7);
        byte[] capability = [1, 0, 0, 2, 0xff, 0xfe, 0, 0];
        Xattrs.Set(_directory["upper/file"], "trusted.binary", capability);
        Xattrs.Set(_directory["upper/replaced"], "trusted.overlay.opaque", "y"u8);
        File.CreateSymbolicLink(_directory["upper/link"], "/" + new string('t', 150));
        await Tool.RunAsync("ln", _directory["upper/file"], _directory["upper/deep/again"]);
        await Tool.RunAsync("mknod", _directory["upper/deleted"], "c", "0", "0");
        await Tool.RunAsync("mknod", _directory["upper/null"], "c", "1", "3");
        await Tool.RunAsync("mkfifo", _directory["upper/pipe"]);

        await using (var layer = File.Create(_directory["layer.tar"])) await OverlayDiff.WriteAsync(_directory["upper"], layer, Cancellation);
        Directory.CreateDirectory(_directory["again"]);
        await using (var layer = File.OpenRead(_directory["layer.tar"]))
            await LayerApplier.ApplyAsync(layer, _directory["again"], new LayerOptions { Whiteouts = WhiteoutMode.Overlay }, Cancellation);

        Assert.Equal("changed", await File.ReadAllTextAsync(_directory["again/file"], Cancellation));
        Assert.Equal("long", await File.ReadAllTextAsync(_directory[$"again/{longName}"], Cancellation));
        Assert.True(File.Exists(_directory["again/naïve"]));
        var (before, after) = (FileStatus.Of(_directory["upper/file"]), FileStatus.Of(_directory["again/file"]));
        Assert.Equal(
            (before.Mode, before.Uid, before.Gid, before.ModifiedSeconds, before.ModifiedNanoseconds),
            (after.Mode, after.Uid, after.Gid, after.ModifiedSeconds, after.ModifiedNanoseconds));
        Assert.Equal(capability, Xattrs.Get(_directory["again/file"], "trusted.binary"));
        Assert.Equal(after.Inode, FileStatus.Of(_directory["again/deep/again"]).Inode);
        Assert.Equal("/" + new string('t', 150), new FileInfo(_directory["again/link"]).LinkTarget);
        Assert.True(FileStatus.Of(_directory["again/deleted"]).IsWhiteout);
        Assert.Equal("y"u8.ToArray(), Xattrs.Get(_directory["again/replaced"], "trusted.overlay.opaque"));
        Assert.Equal((1u, 3u), (FileStatus.Of(_directory["again/null"]).DeviceMajor, FileStatus.Of(_directory["again/null"]).DeviceMinor));
        Assert.Equal(FileConstants.S_IFIFO, FileStatus.Of(_directory["again/pipe"]).Mode & FileConstants.S_IFMT);
    }

    [Fact]
    public async Task Gnu_tar_lists_the_layer_with_the_marks_of_image_layers()
    {
        Directory.CreateDirectory(_directory["upper/replaced"]);
        Xattrs.Set(_directory["upper/replaced"], "trusted.overlay.opaque", "y"u8);
        await Tool.RunAsync("mknod", _directory["upper/deleted"], "c", "0", "0");

        await using (var layer = File.Create(_directory["layer.tar"])) await OverlayDiff.WriteAsync(_directory["upper"], layer, Cancellation);

        Assert.Equal(
            [".wh.deleted", "replaced/", "replaced/.wh..wh..opq"],
            (await Tool.RunAsync("tar", "-tf", _directory["layer.tar"])).Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }
}
