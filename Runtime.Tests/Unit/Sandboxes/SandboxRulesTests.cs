using System.Collections.Immutable;
using Runtime.Actors.Sandboxes;
using Runtime.Faults;
using Xunit;
using static Runtime.Tests.Unit.Sandboxes.SandboxSamples;

namespace Runtime.Tests.Unit.Sandboxes;

public sealed class SandboxRulesTests
{
    private static readonly IdMapping Map = new(100_000, 0, 65_536);

    public static TheoryData<string, string, string> Refused => new()
    {
        { "handler", "runtime.unknown-handler", "kata" },
        { "systemd handler", "sandbox.systemd-cgroup", "systemd" },
        { "slice", "sandbox.systemd-cgroup", "kubepods-burstable.slice" },
        { "relative cgroup", "sandbox.invalid-cgroup-parent", "kubepods" },
        { "climbing cgroup", "sandbox.invalid-cgroup-parent", "/a/../../b" },
        { "two mappings", "sandbox.invalid-namespaces", "exactly one" },
        { "no gid mapping", "sandbox.invalid-namespaces", "gid" },
        { "root not mapped", "sandbox.invalid-namespaces", "begin with id 0" },
        { "empty mapping", "sandbox.invalid-namespaces", "empty" },
        { "mapping past the end", "sandbox.invalid-namespaces", "beyond" },
        { "node mapping", "sandbox.invalid-namespaces", "of the pod's own" },
        { "user target", "sandbox.invalid-namespaces", "user namespace" },
        { "network container", "sandbox.invalid-namespaces", "network" },
        { "pid target", "sandbox.invalid-namespaces", "target" },
        { "node sysctl", "sandbox.invalid-sysctl", "kernel.panic" },
        { "net sysctl on host network", "sandbox.invalid-sysctl", "net.core.somaxconn" },
        { "ipc sysctl with host ipc", "sandbox.invalid-sysctl", "kernel.shmmax" },
        { "climbing sysctl", "sysctl.bad-name", "net" },
        { "hostname", "sandbox.invalid-hostname", "64" },
        { "dns", "sandbox.invalid-dns", "resolv.conf" },
        { "port", "sandbox.invalid-port", "70000" },
        { "name of another", "sandbox.invalid-name", "K8S_POD_NAMESPACE" },
        { "no pod port", "sandbox.invalid-port", "no port of the pod" },
        { "host address", "sandbox.invalid-port", "nowhere" },
        { "bandwidth", "sandbox.invalid-bandwidth", "kubernetes.io/ingress-bandwidth" },
        { "no name", "sandbox.invalid-name", "metadata" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_cannot_be_run_is_refused_by_name(string what, string code, string says)
    {
        var fault = SandboxRules.Check(Id, Wrong(what), Options);

        Assert.NotNull(fault);
        Assert.Equal(code, fault.Code);
        Assert.Contains(says, fault.Message, StringComparison.Ordinal);
        Assert.Contains(fault.Kind, new[] { FaultKind.InvalidArgument, FaultKind.Unimplemented });
    }

    [Theory]
    [InlineData("../../etc")]
    [InlineData("")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public void An_id_that_is_no_digest_is_refused(string id) =>
        Assert.Equal("sandbox.invalid-id", SandboxRules.Check(id, Config, Options)!.Code);

    [Fact]
    public void What_the_kubelet_sends_is_accepted()
    {
        var config = Config with
        {
            Hostname = "web-0",
            Dns = new DnsConfig(["10.96.0.10"], ["default.svc.cluster.local"], ["ndots:5"]),
            Sysctls = ImmutableSortedDictionary<string, string>.Empty
                .Add("kernel.shm_rmid_forced", "1").Add("net.ipv4.ip_local_port_range", "1024 65535").Add("fs.mqueue.msg_max", "100"),
            PortMappings = [new PortMapping(PortProtocol.Tcp, 80, 8080, "::1")],
            Annotations = Config.Annotations.Add("kubernetes.io/ingress-bandwidth", "10M"),
            Security = Config.Security with { User = NamespaceMode.Node },
        };

        Assert.Null(SandboxRules.Check(Id, config, Options));
        Assert.Null(SandboxRules.Check(Id, With(new() { User = NamespaceMode.Pod, UidMappings = [Map], GidMappings = [Map] }), Options));
    }

    [Fact]
    public void Resolv_conf_has_searches_servers_and_options() => Assert.Equal(
        "search a.example b.example\nnameserver 1.1.1.1\nnameserver 8.8.8.8\noptions ndots:5 timeout:1\n",
        SandboxFiles.ResolvConf(new DnsConfig(["1.1.1.1", "8.8.8.8"], ["a.example", "b.example"], ["ndots:5", "timeout:1"])));

    private static SandboxConfig Wrong(string what) => what switch
    {
        "handler" => Config with { RuntimeHandler = "kata" },
        "systemd handler" => Config with { RuntimeHandler = "systemd" },
        "slice" => Config with { CgroupParent = "kubepods-burstable.slice" },
        "relative cgroup" => Config with { CgroupParent = "kubepods" },
        "climbing cgroup" => Config with { CgroupParent = "/a/../../b" },
        "no gid mapping" => With(new() { User = NamespaceMode.Pod, UidMappings = [Map] }),
        "root not mapped" => With(new() { User = NamespaceMode.Pod, UidMappings = [Map], GidMappings = [Map with { ContainerId = 1 }] }),
        "empty mapping" => With(new() { User = NamespaceMode.Pod, UidMappings = [Map with { Length = 0 }], GidMappings = [Map] }),
        "mapping past the end" => With(new() { User = NamespaceMode.Pod, UidMappings = [Map with { HostId = uint.MaxValue }], GidMappings = [Map] }),
        "node mapping" => With(new() { User = NamespaceMode.Node, UidMappings = [Map], GidMappings = [Map] }),
        "two mappings" => With(new() { User = NamespaceMode.Pod, UidMappings = [Map, Map], GidMappings = [Map] }),
        "user target" => With(new() { User = NamespaceMode.Target }),
        "network container" => With(new() { Network = NamespaceMode.Container }),
        "pid target" => With(new() { Pid = NamespaceMode.Target }),
        "node sysctl" => Sysctl("kernel.panic"),
        "net sysctl on host network" => Sysctl("net.core.somaxconn") with { Security = new() { Network = NamespaceMode.Node } },
        "ipc sysctl with host ipc" => Sysctl("kernel.shmmax") with { Security = new() { Ipc = NamespaceMode.Node } },
        "climbing sysctl" => Sysctl("net/../kernel/panic"),
        "hostname" => Config with { Hostname = new string('x', 65) },
        "dns" => Config with { Dns = new DnsConfig(["1.1.1.1\nnameserver 6.6.6.6"], [], []) },
        "port" => Config with { PortMappings = [new PortMapping(PortProtocol.Tcp, 80, 70000, "")] },
        "name of another" => Config with { Name = "web;K8S_POD_NAMESPACE=kube-system" },
        "no pod port" => Config with { PortMappings = [new PortMapping(PortProtocol.Tcp, 0, 80, "")] },
        "host address" => Config with { PortMappings = [new PortMapping(PortProtocol.Tcp, 80, 80, "nowhere")] },
        "bandwidth" => Config with { Annotations = Config.Annotations.Add("kubernetes.io/ingress-bandwidth", "fast") },
        "no name" => Config with { Name = "" },
        _ => throw new ArgumentOutOfRangeException(nameof(what), what, null),
    };

    private static SandboxConfig With(SecurityOptions security) => Config with { Security = security };

    private static SandboxConfig Sysctl(string name) => Config with { Sysctls = Config.Sysctls.Add(name, "1") };
}
