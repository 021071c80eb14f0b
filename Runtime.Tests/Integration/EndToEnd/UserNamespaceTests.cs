using System.Globalization;
using Grpc.Core;
using Runtime.Cri.V1;
using Runtime.Linux.Files;
using Runtime.Linux.Namespaces;
using Runtime.Tests.Support;
using Xunit;
using UserNamespace = Runtime.Cri.V1.UserNamespace;

namespace Runtime.Tests.Integration.EndToEnd;

/// <summary>Pods with a user namespace of their own (hostUsers: false).</summary>
[Collection(KernelCollection.Name)]
public sealed class UserNamespaceTests
{
    private static readonly IDMapping Map = new() { ContainerId = 0, HostId = 131_072, Length = 65_536 };

    [Theory]
    [InlineData(NamespaceMode.Container)]
    [InlineData(NamespaceMode.Pod)]
    public async Task Root_in_such_a_pod_is_nobody_on_the_host(NamespaceMode pid)
    {
        await using var daemon = await StartAsync();
        var pod = Mapped(daemon, "users", pid);
        var podId = await daemon.RunPodAsync(pod);
        var container = Mapped(daemon.Shell("main", "exec sleep 1000", pid));
        var id = await daemon.RunAsync(podId, pod, container);

        Assert.Equal(["0", "131072", "65536"], (await OutputAsync(daemon, id, "cat /proc/self/uid_map")).Split(' ', StringSplitOptions.RemoveEmptyEntries));
        // The image's files are root's in there, new ones too, and the pod's own files and /dev/shm.
        Assert.Equal("0 0", await OutputAsync(daemon, id, "touch /new && stat -c '%u %g' /new"));
        Assert.Equal("0\n0\n0", await OutputAsync(daemon, id, "stat -c %u /bin/sh /etc/hosts /dev/shm"));
        Assert.Equal("done", await OutputAsync(daemon, id, "echo x > /dev/shm/x && echo y >> /etc/hosts && echo done"));
        Assert.StartsWith("10.", await OutputAsync(daemon, id, "ip -o -4 address show eth0 | sed 's/.*inet //'"), StringComparison.Ordinal);
        Assert.Equal("users", await OutputAsync(daemon, id, "hostname"));

        var init = await HostPidAsync(id);
        Assert.Equal("131072", File.ReadLines($"/proc/{init}/status").First(line => line.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[1]);
        var user = NamespacePin.Inode($"/proc/{init}/ns/user");
        Assert.All(["net", "ipc", "uts", "pid"], kind => Assert.Equal(user, NamespacePin.OwnerInode($"/proc/{init}/ns/{kind}")));
        // The image's layers were not given to the pod: others share them. What it writes is its own.
        var snapshots = Path.Combine(daemon.Root, "io.containerd.snapshotter.v1.overlayfs");
        Assert.Equal(131_072u, FileStatus.Of(Directory.EnumerateFiles(snapshots, "new", SearchOption.AllDirectories).Single()).Uid);
        Assert.All(Directory.EnumerateFiles(snapshots, "passwd", SearchOption.AllDirectories), file => Assert.Equal(0u, FileStatus.Of(file).Uid));

        var status = (await daemon.Runtime.PodSandboxStatusAsync(new PodSandboxStatusRequest { PodSandboxId = podId })).Status;
        Assert.Equal(Map, Assert.Single(status.Linux.Namespaces.Options.UsernsOptions.Uids));
        await daemon.RestartAfterKillAsync();
        Assert.Equal("alive", await OutputAsync(daemon, id, "echo alive"));
    }

    [Fact]
    public async Task A_volume_is_mapped_where_the_runtime_can()
    {
        var runtime = await OciRuntimes.WithIdMappedMountsAsync();
        Assert.SkipWhen(runtime is null, "No OCI runtime here has id-mapped mounts (runc 1.2, crun 1.9; ACTORD_OCI_RUNTIME names one).");
        await using var daemon = await StartAsync(runtime);
        Assert.True((await daemon.Runtime.StatusAsync(new StatusRequest())).RuntimeHandlers.Single(each => each.Name == "runc").Features.UserNamespaces);
        var volume = Directory.CreateDirectory(Path.Combine(daemon.Logs, "volume")).FullName;
        await File.WriteAllTextAsync(Path.Combine(volume, "given"), "x", TestContext.Current.CancellationToken);
        var pod = Mapped(daemon, "users", NamespaceMode.Container);
        var podId = await daemon.RunPodAsync(pod);
        var container = Mapped(daemon.Shell("main", "exec sleep 1000"));
        container.Mounts.Add(new Mount { HostPath = volume, ContainerPath = "/volume", UidMappings = { Map }, GidMappings = { Map } });
        var id = await daemon.RunAsync(podId, pod, container);

        Assert.Equal("0 0", await OutputAsync(daemon, id, "touch /volume/made && stat -c '%u %g' /volume/given"));
        Assert.Equal(0u, FileStatus.Of(Path.Combine(volume, "made")).Uid);
    }

    [Fact]
    public async Task What_does_not_fit_the_pod_is_refused()
    {
        await using var daemon = await StartAsync();
        var pod = Mapped(daemon, "users", NamespaceMode.Container);
        var podId = await daemon.RunPodAsync(pod);

        var other = Mapped(daemon.Shell("other", "true"));
        other.Linux.SecurityContext.NamespaceOptions.UsernsOptions.Uids[0].HostId++;
        await RefusedAsync(other, "differ");
        var node = daemon.Shell("node", "true");
        node.Linux.SecurityContext.NamespaceOptions.UsernsOptions = new UserNamespace { Mode = NamespaceMode.Node };
        await RefusedAsync(node, "differ");
        var unmapped = Mapped(daemon.Shell("unmapped", "true"));
        unmapped.Linux.SecurityContext.RunAsUser = new Int64Value { Value = 65_536 };
        await RefusedAsync(unmapped, "65536");

        async Task RefusedAsync(ContainerConfig config, string says)
        {
            var refused = await Assert.ThrowsAsync<RpcException>(async () => await daemon.Runtime.CreateContainerAsync(
                new CreateContainerRequest { PodSandboxId = podId, Config = config, SandboxConfig = pod }));
            Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
            Assert.Contains(says, refused.Status.Detail, StringComparison.Ordinal);
        }
    }

    private static async Task<DaemonFixture> StartAsync(string? runtime = null)
    {
        var daemon = await DaemonFixture.StartAsync(fixture =>
        {
            if (runtime is not null)
                fixture.Configuration = $"""
                    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
                    runtime_type = "io.containerd.runc.v2"
                    options.BinaryName = "{runtime}"
                    """;
            // The tests' directory is private, which /run is not.
            File.SetUnixFileMode(Path.GetDirectoryName(fixture.State)!, (UnixFileMode)0b111_001_001);
        });
        return daemon;
    }

    private static PodSandboxConfig Mapped(DaemonFixture daemon, string name, NamespaceMode pid)
    {
        var pod = daemon.Pod(name, pid);
        pod.Linux.SecurityContext.NamespaceOptions.UsernsOptions = Users();
        return pod;
    }

    private static ContainerConfig Mapped(ContainerConfig container)
    {
        container.Linux.SecurityContext.NamespaceOptions.UsernsOptions = Users();
        return container;
    }

    private static UserNamespace Users() => new() { Mode = NamespaceMode.Pod, Uids = { Map.Clone() }, Gids = { Map.Clone() } };

    private static async Task<string> OutputAsync(DaemonFixture daemon, string id, string script)
    {
        var done = await daemon.ExecAsync(id, "sh", "-c", script);
        Assert.True(done.ExitCode == 0, $"{script}: {done.Stderr.ToStringUtf8()}");
        return done.Stdout.ToStringUtf8().Trim();
    }

    /// <summary>The first process in the container's cgroup.</summary>
    private static async Task<int> HostPidAsync(string id)
    {
        var group = Directory.EnumerateDirectories("/sys/fs/cgroup/memory", id, SearchOption.AllDirectories).Single();
        var pids = await File.ReadAllLinesAsync(Path.Combine(group, "cgroup.procs"), TestContext.Current.CancellationToken);
        return int.Parse(pids[0], CultureInfo.InvariantCulture);
    }
}
