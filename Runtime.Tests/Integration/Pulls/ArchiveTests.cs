using System.Collections.Immutable;
using Runtime.Actors.Images;
using Runtime.Faults;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Pulls;

/// <summary>Archives against tools that are not ours.</summary>
[Collection(KernelCollection.Name)]
public sealed class ArchiveTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task An_exported_image_is_read_by_skopeo_and_unpacked_by_umoci()
    {
        var image = await TestImages.BusyBoxAsync(_directory["layout"]);
        await using var world = await ImageWorld.NewAsync();
        await ImportAsync(world, await image.ToTarAsync(_directory["in.tar"]), "example.com/busybox:1");

        await using (var archive = File.Create(_directory["out.tar"]))
            await world.Images.Archives.ExportAsync(ImageWorld.Space, ["example.com/busybox:1"], archive, CancellationToken.None);

        await Tool.RunAsync("skopeo", "--insecure-policy", "copy", "--quiet", $"oci-archive:{_directory["out.tar"]}", $"oci:{_directory["copy"]}:1");
        await Tool.RunAsync("umoci", "unpack", "--image", $"{image.Layout}:{TestImage.Tag}", _directory["bundle"]);
        Assert.Equal("hi\n", await Tool.RunAsync(_directory["bundle/rootfs/bin/echo"], "hi"));
        Assert.True(File.Exists(Path.Combine(_directory["copy"], "blobs", "sha256", image.Manifest.Layers[0].Digest.Hex)));
    }

    [Fact]
    public async Task What_docker_saves_is_imported_under_its_name_and_can_be_mounted()
    {
        var image = await TestImages.BusyBoxAsync(_directory["layout"]);
        await Tool.RunAsync(
            "skopeo", "--insecure-policy", "copy", "--quiet", $"oci:{image.Layout}:{TestImage.Tag}",
            $"docker-archive:{_directory["docker.tar"]}:example.com/busybox:2");
        await using var world = await ImageWorld.NewAsync();

        var imported = await ImportAsync(world, _directory["docker.tar"], null);

        Assert.Equal(["example.com/busybox:2"], imported.Select(view => view.Name));
        var found = world.Images.Catalog.Find(ImageWorld.Space, "example.com/busybox:2")!;
        Assert.Equal(["example.com/busybox:2"], found.RepoTags);
        await world.LookAsync(found.ChainId, root => Assert.True(File.Exists(Path.Combine(root, "bin/busybox"))));
        Assert.Empty(world.Images.Content.Statuses());
    }

    [Fact]
    public async Task A_layout_that_gives_a_tag_only_is_named_by_the_caller_or_refused()
    {
        var image = await TestImages.BusyBoxAsync(_directory["layout"]);
        var tar = await image.ToTarAsync(_directory["in.tar"]);
        await using var world = await ImageWorld.NewAsync();

        var refused = await Assert.ThrowsAsync<FaultException>(() => ImportAsync(world, tar, null));
        var imported = await ImportAsync(world, tar, "example.com/busybox");

        Assert.Equal("archive.no-name", refused.Fault.Code);
        Assert.Equal([$"example.com/busybox:{TestImage.Tag}"], imported.Select(view => view.Name));
    }

    [Fact]
    public async Task An_archive_with_a_damaged_blob_is_refused_and_names_nothing()
    {
        var image = await TestImages.BusyBoxAsync(_directory["layout"]);
        var blob = image.BlobPath(image.Manifest.Layers[0].Digest);
        var bytes = File.ReadAllBytes(blob);
        bytes[^20] ^= 1;
        File.WriteAllBytes(blob, bytes);
        await using var world = await ImageWorld.NewAsync();

        var refused = await Assert.ThrowsAsync<FaultException>(async () =>
            await ImportAsync(world, await image.ToTarAsync(_directory["in.tar"]), "example.com/busybox:1"));

        Assert.Equal(FaultKind.DataLoss, refused.Fault.Kind);
        Assert.Empty(world.Images.ImageNames.In(ImageWorld.Space));
        Assert.Empty(world.Images.Content.Statuses());
    }

    private static async Task<ImmutableArray<ImageView>> ImportAsync(ImageWorld world, string tar, string? name)
    {
        await using var archive = File.OpenRead(tar);
        return await world.Images.Archives.ImportAsync(ImageWorld.Space, archive, name, CancellationToken.None);
    }
}
