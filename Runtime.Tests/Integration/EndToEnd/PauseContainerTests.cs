using System.Globalization;
using Grpc.Core;
using Runtime.Cri.V1;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.EndToEnd;

/// <summary>Pods with a pause container from an image, as the configuration can ask for.</summary>
[Collection(KernelCollection.Name)]
public sealed class PauseContainerTests
{
    private const string Pause = "docker.io/library/actord-pause:1";

    [Fact]
    public async Task Every_pod_has_a_pause_container_that_a_restart_finds_again_and_a_removal_ends()
    {
        await using var daemon = await StartAsync();
        await ImportPauseAsync(daemon);
        var shared = daemon.Pod("shared", NamespaceMode.Pod);
        var own = daemon.Pod("own");
        var sharedId = await daemon.RunPodAsync(shared);
        var ownId = await daemon.RunPodAsync(own);
        Assert.Contains("4719", CommandLine(await PidAsync(daemon, ownId)), StringComparison.Ordinal);
        // Where cAdvisor reads the pod's network statistics.
        Assert.Contains("eth0:", await File.ReadAllTextAsync($"/proc/{await PidAsync(daemon, sharedId)}/net/dev", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        var containerId = await daemon.RunAsync(sharedId, shared, daemon.Shell("main", "exec sleep 1000", NamespaceMode.Pod));

        var processes = (await daemon.ExecAsync(containerId, "ps")).Stdout.ToStringUtf8();
        Assert.Matches("(?m)^ *1 .*sleep 4719", processes);

        var pid = await PidAsync(daemon, sharedId);
        await daemon.RestartAfterKillAsync();
        Assert.Equal(pid, await PidAsync(daemon, sharedId));
        Assert.Equal(0, (await daemon.ExecAsync(containerId, "true")).ExitCode);

        await daemon.StopAndRemoveAsync(sharedId);
        Assert.False(Directory.Exists($"/proc/{pid}"), "the pause container is there still");
        await daemon.StopAndRemoveAsync(ownId);
        await Eventually.True(() => daemon.Leftovers().Count == 0, TimeSpan.FromSeconds(10), () => string.Join('\n', daemon.Leftovers()));
    }

    [Fact]
    public async Task A_pause_container_has_no_rights_and_its_end_makes_the_pod_not_ready()
    {
        await using var daemon = await StartAsync();
        await ImportPauseAsync(daemon);
        var podId = await daemon.RunPodAsync(daemon.Pod("one"));
        var pid = await PidAsync(daemon, podId);
        var status = await File.ReadAllTextAsync($"/proc/{pid}/status", TestContext.Current.CancellationToken);
        Assert.Contains("CapBnd:\t0000000000000000", status, StringComparison.Ordinal);
        Assert.Contains("NoNewPrivs:\t1", status, StringComparison.Ordinal);

        await Tool.RunAsync("kill", "-KILL", pid.ToString(CultureInfo.InvariantCulture));

        await Eventually.AsyncTrue(
            async () => (await daemon.Runtime.PodSandboxStatusAsync(new PodSandboxStatusRequest { PodSandboxId = podId })).Status.State
                is PodSandboxState.SandboxNotready,
            TimeSpan.FromSeconds(10), () => $"the pod is ready still:\n{daemon.Log}");
    }

    [Fact]
    public async Task A_pause_image_that_cannot_be_had_fails_the_pod_and_leaves_nothing()
    {
        await using var daemon = await StartAsync("actord.invalid/pause:1");
        var refused = await Assert.ThrowsAsync<RpcException>(() => daemon.RunPodAsync(daemon.Pod("one")));
        Assert.Contains("actord.invalid", refused.Status.Detail, StringComparison.Ordinal);
        Assert.Empty((await daemon.Runtime.ListPodSandboxAsync(new ListPodSandboxRequest())).Items);
        await Eventually.True(() => daemon.Leftovers().Count == 0, TimeSpan.FromSeconds(10), () => string.Join('\n', daemon.Leftovers()));
    }

    private static Task<DaemonFixture> StartAsync(string image = Pause) => DaemonFixture.StartAsync(daemon => daemon.Configuration = $"""
        [plugins."io.containerd.cri.v1.runtime"]
        pause = "image"
        [plugins."io.containerd.cri.v1.images".pinned_images]
        sandbox = "{image}"
        """);

    private static async Task ImportPauseAsync(DaemonFixture daemon)
    {
        using var directory = new TempDirectory();
        var image = await TestImages.BusyBoxAsync(directory["image"], process: TestImages.DefaultProcess with { Entrypoint = [], Cmd = ["sleep", "4719"], User = "65535:65535" });
        var archive = await image.ToTarAsync(directory["image.tar"]);
        await Tool.RunAsync(Artifacts.Cli, "--address", daemon.Socket, "images", "import", "--name", Pause, archive);
        var images = await daemon.Images.ListImagesAsync(new ListImagesRequest());
        Assert.True(images.Images.Single(one => one.RepoTags.Contains(Pause)).Pinned);
    }

    private static async Task<int> PidAsync(DaemonFixture daemon, string podId)
    {
        var status = await daemon.Runtime.PodSandboxStatusAsync(new PodSandboxStatusRequest { PodSandboxId = podId, Verbose = true });
        using var info = System.Text.Json.JsonDocument.Parse(status.Info["info"]);
        return info.RootElement.GetProperty("pid").GetInt32();
    }

    private static string CommandLine(int pid) => File.ReadAllText($"/proc/{pid}/cmdline").Replace('\0', ' ');
}
