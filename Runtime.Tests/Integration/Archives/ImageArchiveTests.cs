using System.Formats.Tar;
using System.IO.Compression;
using System.IO.Pipes;
using System.Text;
using Runtime.Faults;
using Runtime.Oci.Archives;
using Runtime.Oci.Images;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Archives;

/// <summary>Archives that skopeo and umoci write, and that skopeo reads.</summary>
public sealed class ImageArchiveTests : IDisposable
{
    private static readonly PlatformMatcher Host = new(Platform.Host);

    private readonly TempDirectory _directory = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(LayerCompression.None)]
    [InlineData(LayerCompression.Gzip)]
    [InlineData(LayerCompression.Zstd)]
    public async Task An_oci_layout_is_read_from_a_pipe_whatever_compresses_it(LayerCompression whole)
    {
        var image = await TestImages.BusyBoxAsync(_directory["layout"]);
        var tar = TestImages.Compress(whole, await File.ReadAllBytesAsync(await image.ToTarAsync(_directory["a.tar"]), Cancellation));
        using var to = new AnonymousPipeServerStream(PipeDirection.Out);
        using var from = new AnonymousPipeClientStream(PipeDirection.In, to.GetClientHandleAsString());
        var blobs = new DirectoryBlobs(_directory["blobs"]);

        var reading = ImageArchiveReader.ReadAsync(from, blobs, Host, Cancellation);
        await to.WriteAsync(tar, Cancellation);
        to.Dispose();

        var read = Assert.Single(await reading);
        Assert.Equal((image.Target.Digest, image.Target.Digest, TestImage.Tag), (read.Target.Digest, read.Manifest.Digest, read.Tag));
        Assert.Empty(read.Names);
        foreach (var child in image.Manifest.Children) Assert.True(await blobs.HasAsync(child.Digest, Cancellation));
    }

    [Fact]
    public async Task A_docker_archive_of_skopeo_gets_a_manifest_with_plain_layers()
    {
        var image = await TestImages.BusyBoxAsync(
            _directory["layout"], LayerCompression.Gzip, null, TestImages.Files(LayerCompression.Gzip, ("etc/motd", "hello\n")));
        await Tool.RunAsync(
            "skopeo", "--insecure-policy", "copy", "--quiet", $"oci:{image.Layout}:{TestImage.Tag}",
            $"docker-archive:{_directory["a.tar"]}:docker.io/library/busybox:1");
        var blobs = new DirectoryBlobs(_directory["blobs"]);

        await using var archive = File.OpenRead(_directory["a.tar"]);
        var read = Assert.Single(await ImageArchiveReader.ReadAsync(archive, blobs, Host, Cancellation));

        Assert.Equal(["docker.io/library/busybox:1"], read.Names);
        var manifest = ImageManifest.Parse(await blobs.ReadAsync(read.Target.Digest, ManifestReader.MaxBytes, Cancellation));
        Assert.Equal(image.Config.Rootfs.DiffIds, manifest.Layers.Select(layer => layer.Digest));
        Assert.All(manifest.Layers, layer => Assert.Equal(MediaTypes.DockerLayer, layer.MediaType));
    }

    [Fact]
    public async Task An_archive_of_old_docker_with_linked_layers_is_read()
    {
        var layer = TestImages.Tar(tar => TestImages.WriteFile(tar, "a", "a"u8.ToArray()));
        var config = Config(Digest.Of(layer), Digest.Of(layer));
        await using var archive = Tar(
            Entry("1/layer.tar", layer),
            new PaxTarEntry(TarEntryType.SymbolicLink, "2/layer.tar") { LinkName = "../1/layer.tar" },
            Entry("1/VERSION", "1.0"u8), Entry("1/json", "{}"u8), Entry("repositories", "{}"u8),
            Entry($"{Digest.Of(config).Hex}.json", config),
            Entry("manifest.json", $$"""[{"Config":"{{Digest.Of(config).Hex}}.json","RepoTags":["a:1","b.c/d:2"],"Layers":["1/layer.tar","2/layer.tar"]}]"""));

        var read = Assert.Single(await ImageArchiveReader.ReadAsync(archive, new DirectoryBlobs(_directory["blobs"]), Host, Cancellation));

        Assert.Equal(["docker.io/library/a:1", "b.c/d:2"], read.Names);
    }

    [Theory]
    [InlineData(LayerCompression.None)]
    [InlineData(LayerCompression.Gzip)]
    public async Task What_is_written_is_read_by_skopeo_as_both_formats_and_by_ourselves(LayerCompression compression)
    {
        var image = await TestImages.BusyBoxAsync(_directory["layout"], compression);
        var source = new DirectoryBlobs(Path.Combine(image.Layout, "blobs", "sha256"));
        await using (var archive = new GZipStream(File.Create(_directory["a.tar.gz"]), CompressionLevel.Fastest))
        {
            await ImageArchiveWriter.WriteAsync(
                archive, [new ImageToArchive(["docker.io/library/busybox:1", "b.c/d:2"], image.Target)], source, Host, Cancellation);
        }
        await Tool.RunAsync("gunzip", _directory["a.tar.gz"]);

        var raw = await Tool.RunAsync("skopeo", "inspect", "--raw", $"oci-archive:{_directory["a.tar"]}:2");
        Assert.Equal(image.Target.Digest, Digest.Of(Encoding.UTF8.GetBytes(raw)));
        await Tool.RunAsync(
            "skopeo", "--insecure-policy", "copy", "--quiet", $"docker-archive:{_directory["a.tar"]}:busybox:1", $"oci:{_directory["again"]}:x");
        await Tool.RunAsync("umoci", "unpack", "--image", $"{_directory["again"]}:x", _directory["bundle"]);
        Assert.Equal("hi\n", await Tool.RunAsync(_directory["bundle/rootfs/bin/echo"], "hi"));

        await using var again = File.OpenRead(_directory["a.tar"]);
        var read = Assert.Single(await ImageArchiveReader.ReadAsync(again, new DirectoryBlobs(_directory["blobs"]), Host, Cancellation));
        Assert.Equal(["docker.io/library/busybox:1", "b.c/d:2"], read.Names);
        Assert.Equal(image.Target.Digest, read.Target.Digest);
    }

    [Fact]
    public async Task Of_an_index_only_this_platforms_content_is_needed()
    {
        var image = await TestImages.BusyBoxAsync(_directory["layout"]);
        var blobs = new DirectoryBlobs(Path.Combine(image.Layout, "blobs", "sha256"));
        var index = new ImageIndex
        {
            MediaType = MediaTypes.OciIndex,
            Manifests =
            [
                Descriptor.Of(MediaTypes.OciManifest, "other"u8) with { Platform = Platform.Parse("linux/s390x") },
                image.Target with { Platform = Platform.Host },
            ],
        }.ToBytes();
        var target = Descriptor.Of(MediaTypes.OciIndex, index);
        await blobs.StoreAsync(new MemoryStream(index), target.Digest, target.Size, Cancellation);
        using var archive = new MemoryStream();

        await ImageArchiveWriter.WriteAsync(archive, [new ImageToArchive(["a.b/c:1"], target)], blobs, Host, Cancellation);
        archive.Position = 0;
        var read = Assert.Single(await ImageArchiveReader.ReadAsync(archive, new DirectoryBlobs(_directory["blobs"]), Host, Cancellation));

        Assert.Equal((target.Digest, image.Target.Digest), (read.Target.Digest, read.Manifest.Digest));
        var other = new PlatformMatcher(Platform.Parse("linux/s390x"));
        Assert.Equal("archive.blob-missing", (await Assert.ThrowsAsync<FaultException>(() => ImageArchiveWriter.WriteAsync(
            Stream.Null, [new ImageToArchive(["a.b/c:1"], target)], blobs, other, Cancellation))).Fault.Code);
        archive.Position = 0;
        Assert.Equal("archive.incomplete", (await Assert.ThrowsAsync<FaultException>(() => ImageArchiveReader.ReadAsync(
            archive, new DirectoryBlobs(_directory["blobs2"]), other, Cancellation))).Fault.Code);
    }

    [Fact]
    public async Task A_blob_of_another_size_than_its_descriptor_is_not_written()
    {
        var image = await TestImages.BusyBoxAsync(_directory["layout"]);
        var source = new DirectoryBlobs(Path.Combine(image.Layout, "blobs", "sha256"));
        await File.AppendAllTextAsync(image.BlobPath(image.Manifest.Layers[0].Digest), "more", Cancellation);

        Assert.Equal(FaultKind.DataLoss, (await Assert.ThrowsAsync<FaultException>(() => ImageArchiveWriter.WriteAsync(
            new MemoryStream(), [new ImageToArchive(["a.b/c:1"], image.Target)], source, Host, Cancellation))).Fault.Kind);
    }

    public static TheoryData<string, string> Broken => new()
    {
        { "no tar", "archive.malformed" },
        { "empty", "archive.malformed" },
        { "cut", "archive.malformed" },
        { "blob name", "archive.malformed" },
        { "blob digest", "test.digest" },
        { "no manifest", "archive.incomplete" },
        { "no layer", "archive.incomplete" },
        { "layer outside", "archive.incomplete" },
        { "link loop", "archive.incomplete" },
        { "layer digest", "archive.digest-mismatch" },
        { "config digest", "archive.digest-mismatch" },
        { "more layers", "image-config.malformed" },
        { "name", "reference.malformed" },
        { "null entry", "archive.malformed" },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public async Task A_broken_archive_is_refused(string how, string code)
    {
        var layer = TestImages.Tar(tar => TestImages.WriteFile(tar, "a", "a"u8.ToArray()));
        var config = Config(Digest.Of(layer));
        var name = $"{Digest.Of(config).Hex}.json";
        byte[] Manifest(string layers, string tag = "a:1") =>
            Encoding.UTF8.GetBytes($$"""[{"Config":"{{name}}","RepoTags":["{{tag}}"],"Layers":[{{layers}}]}]""");
        using Stream archive = how switch
        {
            "no tar" => new MemoryStream(Encoding.ASCII.GetBytes(new string('x', 2000))),
            "empty" => new MemoryStream(),
            "cut" => new MemoryStream(Tar(Entry("1/layer.tar", layer), Entry(name, config)).ToArray()[..700]),
            "blob name" => Tar(Entry("blobs/sha256/../../../etc/passwd/x", "x"u8), Entry("blobs/x/y", "x"u8)),
            "blob digest" => Tar(Entry($"blobs/sha256/{Digest.OfNothing.Hex}", "x"u8)),
            "no manifest" => Tar(Entry("index.json", new ImageIndex { Manifests = [Descriptor.Of(MediaTypes.OciManifest, "x"u8)] }.ToBytes())),
            "no layer" => Tar(Entry(name, config), Entry("manifest.json", Manifest("\"1/layer.tar\""))),
            "layer outside" => Tar(Entry(name, config), Entry("manifest.json", Manifest("\"../../etc/passwd\""))),
            "link loop" => Tar(
                new PaxTarEntry(TarEntryType.SymbolicLink, "1/layer.tar") { LinkName = "../2/layer.tar" },
                new PaxTarEntry(TarEntryType.SymbolicLink, "2/layer.tar") { LinkName = "../1/layer.tar" },
                Entry(name, config), Entry("manifest.json", Manifest("\"1/layer.tar\""))),
            "layer digest" => Tar(Entry("1/layer.tar", "other"u8), Entry(name, config), Entry("manifest.json", Manifest("\"1/layer.tar\""))),
            "config digest" => Tar(Entry(name, "{}"u8), Entry("manifest.json", Manifest(""))),
            "more layers" => Tar(Entry(name, config), Entry("manifest.json", Manifest(""))),
            "name" => Tar(Entry("1/layer.tar", layer), Entry(name, config), Entry("manifest.json", Manifest("\"1/layer.tar\"", "A B"))),
            _ => Tar(Entry("manifest.json", "[null]"u8)),
        };

        var fault = (await Assert.ThrowsAsync<FaultException>(() => ImageArchiveReader.ReadAsync(
            archive, new DirectoryBlobs(_directory["blobs"]), Host, Cancellation))).Fault;

        Assert.Equal(code, fault.Code);
    }

    private static byte[] Config(params Digest[] diffIds) =>
        new ImageConfig { Os = "linux", Architecture = "amd64", Rootfs = new ImageRootfs { Type = "layers", DiffIds = [.. diffIds] } }.ToBytes();

    private static PaxTarEntry Entry(string path, ReadOnlySpan<byte> content) =>
        new(TarEntryType.RegularFile, path) { DataStream = new MemoryStream(content.ToArray()) };

    private static PaxTarEntry Entry(string path, string content) => Entry(path, Encoding.UTF8.GetBytes(content));

    private static MemoryStream Tar(params TarEntry[] entries) => new(TestImages.Tar(tar =>
    {
        foreach (var entry in entries) tar.WriteEntry(entry);
    }));
}
