using CsCheck;
using Grpc.Core;
using Runtime.Api.Edge;
using Runtime.Cri.V1;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Cri;

/// <summary>Requests that cannot be meant: refused with InvalidArgument, before the domain hears of them.</summary>
public sealed class CriValidationTests : IAsyncLifetime
{
    private readonly ScriptedDomain _script = new();
    private GrpcServer _server = null!;
    private RuntimeService.RuntimeServiceClient _client = null!;

    public static TheoryData<string, Action<PodSandboxConfig>> BadSandboxes => new()
    {
        { "metadata", config => config.Metadata = null },
        { "metadata.name", config => config.Metadata.Name = "" },
        { "metadata.uid", config => config.Metadata.Uid = "" },
        { "metadata.namespace", config => config.Metadata.Namespace = "" },
        { "hostname", config => config.Hostname = "a\nb" },
        { "hostname", config => config.Hostname = new string('h', 65) },
        { "log_directory", config => config.LogDirectory = "relative" },
        { "dns_config.servers", config => config.DnsConfig = new DNSConfig { Servers = { "1.1.1.1\noptions evil" } } },
        { "port_mappings.host_port", config => config.PortMappings.Add(new PortMapping { HostPort = 70000 }) },
        { "port_mappings.container_port", config => config.PortMappings.Add(new PortMapping { ContainerPort = -1 }) },
        { "port_mappings.protocol", config => config.PortMappings.Add(new PortMapping { Protocol = (Protocol)9 }) },
        { "port_mappings.host_ip", config => config.PortMappings.Add(new PortMapping { HostIp = "here" }) },
        { "cgroup_parent", config => config.Linux.CgroupParent = "/a/../b" },
        { "cgroup_parent", config => config.Linux.CgroupParent = "relative" },
        { "sysctls", config => config.Linux.Sysctls["../x"] = "1" },
        { "namespace_options.network", config => Namespaces(config).Network = NamespaceMode.Target },
        { "namespace_options.ipc", config => Namespaces(config).Ipc = NamespaceMode.Container },
        { "namespace_options.pid", config => Namespaces(config).Pid = NamespaceMode.Target },
        { "userns_options.uids", config => Namespaces(config).UsernsOptions = new UserNamespace { Mode = NamespaceMode.Pod } },
        { "userns_options.uids", config => Namespaces(config).UsernsOptions = Users(new IDMapping { ContainerId = 1, HostId = 65536, Length = 65536 }) },
        { "userns_options.uids", config => Namespaces(config).UsernsOptions = Users(Map(), Map()) },
        { "userns_options.mode", config => Namespaces(config).UsernsOptions = new UserNamespace { Mode = NamespaceMode.Container } },
        { "userns_options", config => Namespaces(config).UsernsOptions = new UserNamespace { Mode = NamespaceMode.Node, Uids = { Map() } } },
        { "run_as_group", config => config.Linux.SecurityContext.RunAsGroup = new Int64Value { Value = 1 } },
        { "run_as_user", config => config.Linux.SecurityContext.RunAsUser = new Int64Value { Value = -1 } },
    };

    public static TheoryData<string, Action<ContainerConfig>> BadContainers => new()
    {
        { "metadata", config => config.Metadata = null },
        { "metadata.name", config => config.Metadata.Name = "" },
        { "image.image", config => config.Image.Image = "" },
        { "envs.key", config => config.Envs.Add(new KeyValue { Key = "A=B" }) },
        { "envs.key", config => config.Envs.Add(new KeyValue { Key = "" }) },
        { "log_path", config => config.LogPath = "../../etc/cron.d/x" },
        { "args", config => config.Args.Add("a\0b") },
        { "mounts.container_path", config => config.Mounts.Add(new Mount { HostPath = "/a" }) },
        { "mounts.host_path", config => config.Mounts.Add(new Mount { ContainerPath = "/a", HostPath = "relative" }) },
        { "mounts.propagation", config => config.Mounts.Add(new Mount { ContainerPath = "/a", HostPath = "/a", Propagation = (MountPropagation)7 }) },
        { "recursive_read_only", config => config.Mounts.Add(new Mount { ContainerPath = "/a", HostPath = "/a", RecursiveReadOnly = true }) },
        {
            "recursive_read_only", config => config.Mounts.Add(new Mount
            {
                ContainerPath = "/a", HostPath = "/a", RecursiveReadOnly = true, Readonly = true,
                Propagation = MountPropagation.PropagationBidirectional,
            })
        },
        { "image_sub_path", config => config.Mounts.Add(new Mount { ContainerPath = "/a", Image = new ImageSpec { Image = "i" }, ImageSubPath = "../x" }) },
        { "devices.permissions", config => config.Devices.Add(new Device { ContainerPath = "/dev/x", HostPath = "/dev/x", Permissions = "rwx" }) },
        { "oom_score_adj", config => config.Linux.Resources = new LinuxContainerResources { OomScoreAdj = 1001 } },
        { "cpu_shares", config => config.Linux.Resources = new LinuxContainerResources { CpuShares = -1 } },
        { "unified", config => config.Linux.Resources = new LinuxContainerResources { Unified = { ["../x"] = "1" } } },
        { "run_as_group", config => config.Linux.SecurityContext.RunAsGroup = new Int64Value { Value = 1 } },
        { "supplemental_groups", config => config.Linux.SecurityContext.SupplementalGroups.Add(-5) },
        { "masked_paths", config => config.Linux.SecurityContext.MaskedPaths.Add("proc") },
        { "localhost_ref", config => config.Linux.SecurityContext.Seccomp = new SecurityProfile { ProfileType = SecurityProfile.Types.ProfileType.Localhost } },
        { "target_id", config => config.Linux.SecurityContext.NamespaceOptions = new NamespaceOption { Pid = NamespaceMode.Target } },
        { "stop_signal", config => config.StopSignal = (Signal)999 },
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await GrpcServer.StartAsync(_script.Domain);
        _client = new RuntimeService.RuntimeServiceClient(_server.Channel);
        _script.Add(ScriptedDomain.Sandbox());
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _script.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(BadSandboxes))]
    public async Task A_sandbox_that_cannot_be_meant_is_refused_and_the_field_named(string field, Action<PodSandboxConfig> spoil)
    {
        var config = Requests.Sandbox();
        spoil(config);

        var refused = await Assert.ThrowsAsync<RpcException>(async () => await _client.RunPodSandboxAsync(
            new RunPodSandboxRequest { Config = config }, cancellationToken: Cancellation));

        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        Assert.Contains(field, refused.Status.Detail, StringComparison.Ordinal);
        Assert.Empty(_script.Commands);
    }

    [Theory]
    [MemberData(nameof(BadContainers))]
    public async Task A_container_that_cannot_be_meant_is_refused_and_the_field_named(string field, Action<ContainerConfig> spoil)
    {
        var config = Requests.Container();
        spoil(config);

        var refused = await Assert.ThrowsAsync<RpcException>(async () => await _client.CreateContainerAsync(
            new CreateContainerRequest { PodSandboxId = new string('a', 64), Config = config }, cancellationToken: Cancellation));

        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        Assert.Contains(field, refused.Status.Detail, StringComparison.Ordinal);
        Assert.Empty(_script.Commands);
    }

    [Theory]
    [InlineData("../etc")]
    [InlineData("a/b")]
    [InlineData("")]
    [InlineData("a\nb")]
    public async Task What_is_no_id_is_refused(string id)
    {
        var refused = await Assert.ThrowsAsync<RpcException>(async () =>
            await _client.RemoveContainerAsync(new RemoveContainerRequest { ContainerId = id }, cancellationToken: Cancellation));

        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        Assert.Empty(_script.Commands);
    }

    [Fact]
    public async Task A_negative_timeout_is_refused_and_a_huge_one_is_cut()
    {
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await _client.StopContainerAsync(
            new StopContainerRequest { ContainerId = "c", Timeout = -1 }, cancellationToken: Cancellation));
        await _client.StopContainerAsync(
            new StopContainerRequest { ContainerId = "c", Timeout = long.MaxValue }, cancellationToken: Cancellation);

        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        var sent = Assert.IsType<Runtime.Actors.Containers.StopContainer>(Assert.Single(_script.Commands));
        Assert.True(sent.Grace.TotalMilliseconds <= int.MaxValue);
    }

    [Fact]
    public async Task Random_bytes_as_a_request_never_crash_a_call()
    {
        var config = Gen.Byte.Array[0, 64];
        var samples = config.Array[200].Single();
        var invoker = _server.Channel.CreateCallInvoker();
        var raw = Marshallers.Create(bytes => bytes, bytes => bytes);
        foreach (var method in new[] { "RunPodSandbox", "CreateContainer", "ListContainers", "ExecSync", "PodSandboxStatus", "StopContainer" })
        {
            var call = new Method<byte[], byte[]>(MethodType.Unary, "runtime.v1.RuntimeService", method, raw, raw);
            foreach (var sample in samples)
            {
                try
                {
                    await invoker.AsyncUnaryCall(call, null, new CallOptions(cancellationToken: Cancellation), sample);
                }
                catch (RpcException refused)
                {
                    // The gRPC server itself refuses bytes that are no message; a defect of ours would carry this code.
                    Assert.NotEqual("operation.failed", refused.Trailers.GetValue(FaultStatus.CodeTrailer));
                    Assert.NotEqual(StatusCode.Unavailable, refused.StatusCode);
                }
            }
        }
    }

    [Fact]
    public async Task A_random_sandbox_is_run_or_refused_as_an_invalid_argument()
    {
        var text = Gen.String[Gen.Char["a/.:=\0\n1-"], 0, 6];
        var sandboxes = Gen.Select(text, text, text, Gen.Int, Gen.Int[0, 12], Gen.Long).Select((a, b, c, number, small, large) =>
        {
            var config = Requests.Sandbox();
            config.Metadata.Name = a;
            config.Hostname = b;
            config.LogDirectory = c;
            config.PortMappings.Add(new PortMapping { Protocol = (Protocol)(small % 4), HostPort = number % 99999, HostIp = a });
            config.DnsConfig = new DNSConfig { Servers = { b } };
            config.Linux.CgroupParent = c;
            config.Linux.Sysctls[a] = b;
            Namespaces(config).Pid = (NamespaceMode)(small % 6);
            config.Linux.SecurityContext.RunAsUser = new Int64Value { Value = large };
            return config;
        });
        foreach (var config in sandboxes.Array[300].Single())
        {
            try
            {
                await _client.RunPodSandboxAsync(new RunPodSandboxRequest { Config = config }, cancellationToken: Cancellation);
            }
            catch (RpcException refused)
            {
                Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
            }
        }
    }

    private static NamespaceOption Namespaces(PodSandboxConfig config) =>
        config.Linux.SecurityContext.NamespaceOptions ??= new NamespaceOption();

    private static IDMapping Map() => new() { ContainerId = 0, HostId = 65536, Length = 65536 };

    private static UserNamespace Users(params IDMapping[] uids) => new() { Mode = NamespaceMode.Pod, Uids = { uids }, Gids = { Map() } };
}
