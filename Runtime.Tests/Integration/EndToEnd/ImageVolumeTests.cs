using System.Formats.Tar;
using Grpc.Core;
using Runtime.Cri.V1;
using Runtime.Oci.Images;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.EndToEnd;

/// <summary>Images as volumes.</summary>
[Collection(KernelCollection.Name)]
public sealed class ImageVolumeTests
{
    private const string Volume = "docker.io/library/actord-volume:latest";

    [Fact]
    public async Task An_image_is_a_read_only_volume_that_survives_the_daemon_and_goes_with_its_pod()
    {
        await using var daemon = await StartAsync();
        var snapshots = Path.Combine(daemon.Root, "io.containerd.snapshotter.v1.overlayfs", "snapshots");
        var before = Directory.GetDirectories(snapshots).Length;
        var pod = daemon.Pod("volumes");
        var podId = await daemon.RunPodAsync(pod);
        var container = daemon.Shell("main", "exec sleep 1000");
        container.Mounts.Add(Mounting("/whole"));
        container.Mounts.Add(Mounting("/part", "deep/down"));
        container.Mounts.Add(Mounting("/linked", "link"));
        var id = await daemon.RunAsync(podId, pod, container);

        Assert.Equal("found", await OutputAsync(daemon, id, "cat /whole/deep/down/file"));
        Assert.Equal("found", await OutputAsync(daemon, id, "cat /part/file"));
        // The link is absolute: it means the image's own directory, not the host's.
        Assert.Equal("found", await OutputAsync(daemon, id, "cat /linked/file"));
        Assert.NotEqual(0, (await daemon.ExecAsync(id, "touch", "/whole/new")).ExitCode);
        var mounts = (await daemon.StatusAsync(id)).Mounts;
        Assert.Equal([Volume, Volume, Volume], mounts.Select(mount => mount.Image.Image));
        Assert.Equal("deep/down", mounts[1].ImageSubPath);

        await daemon.RestartAfterKillAsync();
        Assert.Equal("found", await OutputAsync(daemon, id, "cat /whole/deep/down/file"));
        var second = daemon.Shell("second", "exec sleep 1000");
        second.Mounts.Add(Mounting("/whole"));
        var secondId = await daemon.RunAsync(podId, pod, second);
        Assert.Single(daemon.Leftovers(), left => left.Contains("image-volumes", StringComparison.Ordinal));

        await daemon.Runtime.RemoveContainerAsync(new RemoveContainerRequest { ContainerId = id });
        Assert.Equal("found", await OutputAsync(daemon, secondId, "cat /whole/deep/down/file"));
        await daemon.Runtime.StopPodSandboxAsync(new StopPodSandboxRequest { PodSandboxId = podId });
        Assert.DoesNotContain(daemon.Leftovers(), left => left.Contains("image-volumes", StringComparison.Ordinal));
        await daemon.Runtime.RemovePodSandboxAsync(new RemovePodSandboxRequest { PodSandboxId = podId });
        Assert.Equal(before, Directory.GetDirectories(snapshots).Length);
    }

    [Theory]
    [InlineData(Volume, "missing")]
    [InlineData(Volume, "escape")]
    [InlineData(Volume, "deep/down/file")]
    [InlineData("docker.io/library/never-pulled:1", "")]
    public async Task What_cannot_be_mounted_is_said_as_the_kubelet_reads_it(string image, string subPath)
    {
        await using var daemon = await StartAsync();
        var pod = daemon.Pod("volumes");
        var podId = await daemon.RunPodAsync(pod);
        var container = daemon.Shell("main", "true");
        container.Mounts.Add(Mounting("/volume", subPath, image));

        var refused = await Assert.ThrowsAsync<RpcException>(async () => await daemon.RunAsync(podId, pod, container));
        Assert.StartsWith("ImageVolumeMountFailed: ", refused.Status.Detail, StringComparison.Ordinal);
        Assert.Empty((await daemon.Runtime.ListContainersAsync(new ListContainersRequest())).Containers);
    }

    private static Mount Mounting(string place, string subPath = "", string image = Volume) =>
        new() { ContainerPath = place, Image = new ImageSpec { Image = image }, ImageSubPath = subPath, Readonly = true };

    private static async Task<DaemonFixture> StartAsync()
    {
        var daemon = await DaemonFixture.StartAsync();
        using var directory = new TempDirectory();
        var image = await TestImages.BuildAsync(directory["layout"], TestImages.DefaultProcess, new TestLayer(LayerCompression.Gzip, tar =>
        {
            foreach (var name in new[] { "deep", "deep/down" }) tar.WriteEntry(new PaxTarEntry(TarEntryType.Directory, name));
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "deep/down/file") { DataStream = new MemoryStream("found"u8.ToArray()) });
            tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "link") { LinkName = "/deep/down" });
            // Outside of the image there is such a directory.
            tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "escape") { LinkName = "/../../../../../../proc" });
        }));
        await Tool.RunAsync(Artifacts.Cli, "--address", daemon.Socket, "images", "import", "--name", Volume, await image.ToTarAsync(directory["image.tar"]));
        return daemon;
    }

    private static async Task<string> OutputAsync(DaemonFixture daemon, string id, string script)
    {
        var done = await daemon.ExecAsync(id, "sh", "-c", script);
        Assert.True(done.ExitCode == 0, $"{script}: {done.Stderr.ToStringUtf8()}");
        return done.Stdout.ToStringUtf8().Trim();
    }
}
