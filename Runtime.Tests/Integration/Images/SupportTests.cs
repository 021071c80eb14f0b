using System.Runtime.Versioning;
using System.Text;
using Runtime.Oci.Images;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Images;

/// <summary>The fixtures that other tests stand on, checked by tools that are not ours.</summary>
[SupportedOSPlatform("linux")]
public sealed class SupportTests
{
    [Theory]
    [InlineData(LayerCompression.None)]
    [InlineData(LayerCompression.Gzip)]
    [InlineData(LayerCompression.Zstd)]
    public async Task A_test_image_is_pushed_to_the_test_registry_with_its_digest(LayerCompression compression)
    {
        using var directory = new TempDirectory();
        await using var registry = await RegistryFixture.StartAsync(withPassword: true);
        var image = await TestImages.BusyBoxAsync(
            directory["layout"], compression, null, TestImages.Files(compression, ("etc/motd", "hello\n")));

        var reference = await registry.PushAsync(image, "library/busybox:1");

        var manifest = await Tool.RunAsync(
            "skopeo", "inspect", "--raw", "--tls-verify=false", "--creds",
            $"{RegistryFixture.User}:{RegistryFixture.Password}", $"docker://{reference}");
        Assert.Equal(image.Target.Digest, Digest.Of(Encoding.UTF8.GetBytes(manifest)));
        Assert.Equal(2, ImageManifest.Parse(Encoding.UTF8.GetBytes(manifest)).Layers.Length);
    }

    [Fact]
    public async Task A_test_image_is_unpacked_by_umoci_with_applets_that_run()
    {
        using var directory = new TempDirectory();
        var image = await TestImages.BusyBoxAsync(directory["layout"]);

        await Tool.RunAsync("umoci", "unpack", "--image", $"{image.Layout}:{TestImage.Tag}", directory["bundle"]);

        Assert.Equal("hi\n", await Tool.RunAsync(directory["bundle/rootfs/bin/echo"], "hi"));
        Assert.True((File.GetUnixFileMode(directory["bundle/rootfs/tmp"]) & UnixFileMode.StickyBit) != 0);
    }
}
