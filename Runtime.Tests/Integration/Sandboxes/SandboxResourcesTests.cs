using System.Text.Json.Nodes;
using Runtime.Actors.Sandboxes;
using Runtime.Faults;
using Runtime.Linux.Mounts;
using Runtime.Linux.Namespaces;
using Runtime.Tests.Integration.Network;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Sandboxes;

[Collection(KernelCollection.Name)]
public sealed class SandboxResourcesTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_pod_gets_namespaces_of_its_own_with_its_name_and_sysctls()
    {
        await using var machine = new SandboxMachine();
        var plan = machine.Plan(machine.Config with
        {
            Sysctls = machine.Config.Sysctls.Add("kernel.shm_rmid_forced", "1").Add("net.ipv4.ping_group_range", "5 6"),
        });
        var name = await File.ReadAllTextAsync("/proc/sys/kernel/hostname", Cancellation);

        machine.Resources.Pin(plan);

        Assert.Contains("LOOPBACK,UP", await CniFixture.InAsync(plan.NetworkNamespacePath, "ip", "-o", "link", "show", "lo"), StringComparison.Ordinal);
        Assert.Equal("0", In(NamespaceKind.Network, plan.NetworkNamespacePath, "net.ipv4.ip_unprivileged_port_start"));
        Assert.Equal("5\t6", In(NamespaceKind.Network, plan.NetworkNamespacePath, "net.ipv4.ping_group_range"));
        Assert.Equal("1", In(NamespaceKind.Ipc, plan.IpcNamespacePath, "kernel.shm_rmid_forced"));
        Assert.Equal("web-0", In(NamespaceKind.Uts, plan.UtsNamespacePath, "kernel.hostname"));
        Assert.Equal(name, await File.ReadAllTextAsync("/proc/sys/kernel/hostname", Cancellation));
        Assert.True(machine.Resources.HasNetwork(plan));

        var inode = NamespacePin.Inode(plan.NetworkNamespacePath);
        machine.Resources.Pin(plan);
        Assert.Equal(inode, NamespacePin.Inode(plan.NetworkNamespacePath));

        machine.Resources.Unpin(plan);
        machine.Resources.Unpin(plan);
        Assert.False(machine.Resources.HasNetwork(plan));
        await machine.Resources.DeleteAsync(plan, Cancellation);
        Assert.Empty(machine.Leftovers);
    }

    [Fact]
    public async Task A_pod_gets_files_a_cgroup_leaf_and_a_bundle()
    {
        await using var machine = new SandboxMachine();
        var plan = machine.Plan(machine.Config with
        {
            Dns = new DnsConfig(["9.9.9.9"], ["svc.local"], ["ndots:5"]),
            Annotations = machine.Config.Annotations.Add("owner", "me"),
        });

        machine.Resources.Prepare(plan);
        machine.Resources.Prepare(plan);

        Assert.Equal("web-0\n", await ReadAsync(plan, "hostname"));
        Assert.Equal(await File.ReadAllTextAsync("/etc/hosts", Cancellation), await ReadAsync(plan, "hosts"));
        Assert.Equal("search svc.local\nnameserver 9.9.9.9\noptions ndots:5\n", await ReadAsync(plan, "resolv.conf"));
        var shm = MountTable.Read().Find(Path.Combine(plan.Directory, "shm"))!;
        Assert.Equal("tmpfs", shm.Type);
        Assert.Superset(new HashSet<string> { "nosuid", "nodev", "noexec" }, shm.Options.Split(',').ToHashSet());
        Assert.Contains("size=65536k", shm.SuperOptions, StringComparison.Ordinal);
        Assert.Equal((UnixFileMode)0b001_111_111_111, File.GetUnixFileMode(shm.MountPoint));
        Assert.Equal((UnixFileMode)0b111_000_000, File.GetUnixFileMode(plan.Directory));
        Assert.Equal((UnixFileMode)0b111_000_000, File.GetUnixFileMode(plan.Bundle));
        Assert.True(machine.HasCgroup(plan.CgroupPath));
        var spec = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(plan.Bundle, "config.json"), Cancellation))!;
        Assert.Equal("sandbox", (string?)spec["annotations"]!["io.kubernetes.cri.container-type"]);
        Assert.Equal(machine.Id, (string?)spec["annotations"]!["io.kubernetes.cri.sandbox-id"]);
        Assert.Equal("me", (string?)spec["annotations"]!["owner"]);

        await machine.Resources.DeleteAsync(plan, Cancellation);
        await machine.Resources.DeleteAsync(plan, Cancellation);
        Assert.Empty(machine.Leftovers);
    }

    [Fact]
    public async Task Processes_that_are_left_in_the_leaf_are_killed_with_it()
    {
        await using var machine = new SandboxMachine();
        var plan = machine.Plan();
        machine.Resources.Prepare(plan);
        using var left = System.Diagnostics.Process.Start("sleep", "1000");
        global::Runtime.Linux.Cgroups.CgroupHierarchy.Detect().AddProcess(plan.CgroupPath, left.Id);

        await machine.Resources.DeleteAsync(plan, Cancellation);

        Assert.True(left.HasExited || left.WaitForExit(5000));
        Assert.Empty(machine.Leftovers);
    }

    [Fact]
    public async Task A_pod_with_the_hosts_namespaces_has_none_of_its_own()
    {
        await using var machine = new SandboxMachine();
        var plan = machine.Plan(machine.Config with
        {
            Security = new SecurityOptions { Network = NamespaceMode.Node, Ipc = NamespaceMode.Node, Pid = NamespaceMode.Node },
        });

        machine.Resources.Pin(plan);
        machine.Resources.Prepare(plan);

        Assert.Equal("", machine.Resources.Missing(plan));
        Assert.False(machine.Resources.HasNetwork(plan));
        Assert.Equal("node\n", await ReadAsync(plan, "hostname"));
        Assert.False(Path.Exists(Path.Combine(plan.Directory, "shm")));
        Assert.DoesNotContain(machine.Leftovers, thing => thing.StartsWith("mount", StringComparison.Ordinal));
        await machine.Resources.DeleteAsync(plan, Cancellation);
        Assert.Empty(machine.Leftovers);
    }

    [Fact]
    public async Task A_sysctl_that_the_kernel_does_not_have_leaves_no_namespace()
    {
        await using var machine = new SandboxMachine();
        var plan = machine.Plan(machine.Config with { Sysctls = machine.Config.Sysctls.Add("net.no.such", "1") });

        var failure = Assert.Throws<FaultException>(() => machine.Resources.Pin(plan));

        Assert.Contains("net.no.such", failure.Message, StringComparison.Ordinal);
        Assert.False(machine.Resources.HasNetwork(plan));
        machine.Resources.Unpin(plan);
        await machine.Resources.DeleteAsync(plan, Cancellation);
        Assert.Empty(machine.Leftovers);
    }

    [Fact]
    public async Task A_namespace_that_is_gone_is_noticed()
    {
        await using var machine = new SandboxMachine();
        var plan = machine.Plan();
        machine.Resources.Pin(plan);
        machine.Resources.Prepare(plan);
        Assert.Equal("", machine.Resources.Missing(plan));

        NamespacePin.Remove(plan.NetworkNamespacePath);

        Assert.Contains(plan.NetworkNamespacePath, machine.Resources.Missing(plan), StringComparison.Ordinal);
        machine.Resources.Unpin(plan);
        await machine.Resources.DeleteAsync(plan, Cancellation);
        Assert.Empty(machine.Leftovers);
    }

    private static string In(NamespaceKind kind, string path, string sysctl) => NamespacePin.Run(kind, path, () => Sysctl.Read(sysctl));

    private static Task<string> ReadAsync(SandboxPlan plan, string name) =>
        File.ReadAllTextAsync(Path.Combine(plan.Directory, name), Cancellation);
}
