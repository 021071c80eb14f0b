using Grpc.Core;
using Runtime.Cri.V1;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.EndToEnd;

/// <summary>What cannot be done is refused with its cause, and nothing half-made stays.</summary>
[Collection(KernelCollection.Name)]
public sealed class RefusalTests
{
    [Fact]
    public async Task What_is_not_there_is_not_found_and_removing_it_succeeds()
    {
        await using var daemon = await DaemonFixture.StartAsync(withImage: false);
        var nobody = new string('a', 64);

        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(async () =>
            await daemon.Runtime.ContainerStatusAsync(new ContainerStatusRequest { ContainerId = nobody }))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(async () =>
            await daemon.Runtime.PodSandboxStatusAsync(new PodSandboxStatusRequest { PodSandboxId = nobody }))).StatusCode);
        Assert.Null((await daemon.Images.ImageStatusAsync(new ImageStatusRequest { Image = new ImageSpec { Image = "nobody/has:this" } })).Image);
        await daemon.Runtime.StopContainerAsync(new StopContainerRequest { ContainerId = nobody });
        await daemon.Runtime.RemoveContainerAsync(new RemoveContainerRequest { ContainerId = nobody });
        await daemon.StopAndRemoveAsync(nobody);
        await daemon.Images.RemoveImageAsync(new RemoveImageRequest { Image = new ImageSpec { Image = "nobody/has:this" } });
    }

    [Fact]
    public async Task An_image_that_is_not_there_refuses_the_container()
    {
        await using var daemon = await DaemonFixture.StartAsync(withImage: false);
        var pod = daemon.Pod("noimage");
        var podId = await daemon.RunPodAsync(pod);

        var refused = await Assert.ThrowsAsync<RpcException>(async () => await daemon.Runtime.CreateContainerAsync(
            new CreateContainerRequest { PodSandboxId = podId, Config = daemon.Shell("main", "true"), SandboxConfig = pod }));

        Assert.Equal(StatusCode.NotFound, refused.StatusCode);
        Assert.Contains(DaemonFixture.Image, refused.Status.Detail, StringComparison.Ordinal);
        Assert.Empty((await daemon.Runtime.ListContainersAsync(new ListContainersRequest())).Containers);
    }

    [Fact]
    public async Task An_unknown_runtime_handler_is_named()
    {
        await using var daemon = await DaemonFixture.StartAsync(withImage: false);

        var refused = await Assert.ThrowsAsync<RpcException>(async () => await daemon.Runtime.RunPodSandboxAsync(
            new RunPodSandboxRequest { Config = daemon.Pod("kata"), RuntimeHandler = "kata" }));

        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        Assert.Contains("kata", refused.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_OCI_runtime_is_named_and_the_pod_can_be_removed()
    {
        await using var daemon = await DaemonFixture.StartAsync(fixture => fixture.Configuration =
            """
            [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
            BinaryName = "/nonexistent/runc"
            """);
        var pod = daemon.Pod("norunc");
        var podId = await daemon.RunPodAsync(pod);
        var created = await daemon.Runtime.CreateContainerAsync(
            new CreateContainerRequest { PodSandboxId = podId, Config = daemon.Shell("main", "true"), SandboxConfig = pod });

        var refused = await Assert.ThrowsAsync<RpcException>(async () =>
            await daemon.Runtime.StartContainerAsync(new StartContainerRequest { ContainerId = created.ContainerId }));

        Assert.Contains("/nonexistent/runc", refused.Status.Detail, StringComparison.Ordinal);
        await daemon.StopAndRemoveAsync(podId);
    }

    [Fact]
    public async Task A_missing_network_plugin_is_named_and_nothing_half_made_stays()
    {
        await using var daemon = await DaemonFixture.StartAsync(
            fixture => File.WriteAllText(Path.Combine(fixture.CniDirectory, "05-broken.conflist"),
                """{ "cniVersion": "1.0.0", "name": "broken", "plugins": [{ "type": "no-such-plugin" }] }"""),
            withImage: false);

        var refused = await Assert.ThrowsAsync<RpcException>(async () => await daemon.RunPodAsync(daemon.Pod("nonet")));

        Assert.Contains("no-such-plugin", refused.Status.Detail, StringComparison.Ordinal);
        await Eventually.True(() => daemon.Leftovers().Count == 0, TimeSpan.FromSeconds(10),
            () => string.Join('\n', daemon.Leftovers()));
        var status = await daemon.Runtime.StatusAsync(new StatusRequest());
        Assert.Contains(status.Status.Conditions, condition => condition is { Type: "NetworkReady", Status: false });
    }

    [Fact]
    public async Task A_retry_joins_the_pod_that_is_being_made()
    {
        await using var daemon = await DaemonFixture.StartAsync(SlowNetwork, withImage: false);
        var pod = daemon.Pod("joined");
        var request = new RunPodSandboxRequest { Config = pod };

        var first = await Assert.ThrowsAsync<RpcException>(async () =>
            await daemon.Runtime.RunPodSandboxAsync(request, deadline: DateTime.UtcNow.AddSeconds(1)));
        Assert.Equal(StatusCode.DeadlineExceeded, first.StatusCode);
        var podId = await daemon.RunPodAsync(pod);

        var listed = Assert.Single((await daemon.Runtime.ListPodSandboxAsync(new ListPodSandboxRequest())).Items);
        Assert.Equal(podId, listed.Id);
    }

    // The real bridge plugin, behind a wrapper that takes three seconds for ADD.
    private static void SlowNetwork(DaemonFixture fixture)
    {
        var wrapper = Path.Combine(fixture.CniPlugins, "bridge");
        File.WriteAllText(wrapper, "#!/bin/sh\n[ \"$CNI_COMMAND\" = ADD ] && sleep 3\nexec /usr/lib/cni/bridge\n");
        File.SetUnixFileMode(wrapper, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
