using System.Net.NetworkInformation;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Linux.Mounts;
using Runtime.Linux.Namespaces;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Linux;

[Collection(KernelCollection.Name)]
public sealed class NamespacePinTests : IDisposable
{
    private readonly TempDirectory _place = new();

    public void Dispose()
    {
        foreach (var file in Directory.GetFiles(_place.Path, "*", SearchOption.AllDirectories))
            NamespacePin.Remove(file);
        Assert.Empty(MountTable.Read().Under(_place.Path));
        _place.Dispose();
    }

    private static ulong Own(NamespaceKind kind) => FileStatus.Of($"/proc/self/ns/{NamespacePin.FileName(kind)}", follow: true).Inode;

    [Theory]
    [InlineData(NamespaceKind.Network)]
    [InlineData(NamespaceKind.Ipc)]
    [InlineData(NamespaceKind.Uts)]
    public void A_namespace_is_pinned_entered_and_let_go(NamespaceKind kind)
    {
        var (own, pin) = (Own(kind), _place[$"ns/{kind}"]);
        NamespacePin.Create(kind, pin);
        Assert.True(NamespacePin.IsPinned(pin));
        Assert.NotEqual(own, NamespacePin.Inode(pin));
        Assert.Equal(0b111_000_000u, FileStatus.Of(_place["ns"]).Permissions);
        var inside = NamespacePin.Run(kind, pin, () => FileStatus.Of($"/proc/thread-self/ns/{NamespacePin.FileName(kind)}", follow: true).Inode);
        Assert.Equal(NamespacePin.Inode(pin), inside);
        Assert.Equal(own, Own(kind));
        Assert.Equal("namespace.pinned", Assert.Throws<FaultException>(() => NamespacePin.Create(kind, pin)).Fault.Code);
        Assert.True(NamespacePin.Remove(pin));
        Assert.False(NamespacePin.Remove(pin));
        Assert.False(File.Exists(pin));
    }

    [Fact]
    public async Task The_pool_never_sees_a_foreign_namespace()
    {
        NamespacePin.Create(NamespaceKind.Network, _place["net"]);
        var own = Own(NamespaceKind.Network);
        var inside = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => NamespacePin.RunAsync(
            NamespaceKind.Network, _place["net"], () => FileStatus.Of("/proc/thread-self/ns/net", follow: true).Inode)));
        Assert.All(inside, inode => Assert.Equal(NamespacePin.Inode(_place["net"]), inode));
        var pool = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(
            () => FileStatus.Of("/proc/thread-self/ns/net", follow: true).Inode, TestContext.Current.CancellationToken)));
        Assert.All(pool, inode => Assert.Equal(own, inode));
    }

    [Fact]
    public void What_work_inside_throws_reaches_the_caller()
    {
        NamespacePin.Create(NamespaceKind.Uts, _place["uts"]);
        Assert.Throws<TimeZoneNotFoundException>(() => NamespacePin.Run(NamespaceKind.Uts, _place["uts"], () => throw new TimeZoneNotFoundException()));
        Assert.Equal(FaultKind.NotFound, Assert.Throws<FaultException>(() => NamespacePin.Run(NamespaceKind.Uts, _place["none"], () => { })).Fault.Kind);
    }

    [Fact]
    public void A_failed_beginning_leaves_neither_pin_nor_file()
    {
        Assert.Throws<TimeZoneNotFoundException>(() => NamespacePin.Create(NamespaceKind.Uts, _place["uts"], () => throw new TimeZoneNotFoundException()));
        Assert.False(File.Exists(_place["uts"]));
        Assert.Equal("namespace.bad-kind", Assert.Throws<FaultException>(() => NamespacePin.Create(NamespaceKind.Pid, _place["pid"])).Fault.Code);
    }

    [Fact]
    public void What_a_crash_left_is_taken_over()
    {
        File.WriteAllText(_place["net"], "");
        NamespacePin.Create(NamespaceKind.Network, _place["net"]);
        Assert.True(NamespacePin.IsPinned(_place["net"]));
    }

    [Fact]
    public void A_uts_namespace_has_its_own_hostname()
    {
        var before = Environment.MachineName;
        NamespacePin.Create(NamespaceKind.Uts, _place["uts"], () => NamespacePin.SetHostname("a-pod"));
        Assert.Equal("a-pod", NamespacePin.Run(NamespaceKind.Uts, _place["uts"], () => File.ReadAllText("/proc/sys/kernel/hostname").Trim()));
        Assert.Equal(before, File.ReadAllText("/proc/sys/kernel/hostname").Trim());
        Assert.Equal("namespace.bad-hostname", Assert.Throws<FaultException>(() => NamespacePin.SetHostname(new string('x', 65))).Fault.Code);
    }

    [Fact]
    public void Loopback_comes_up_inside()
    {
        NamespacePin.Create(NamespaceKind.Network, _place["net"]);
        Assert.Equal("down", State());
        Loopback.Up(_place["net"]);
        Loopback.Up(_place["net"]);
        Assert.Equal("up", State());

        string State() => NamespacePin.Run(NamespaceKind.Network, _place["net"], () =>
            NetworkInterface.GetAllNetworkInterfaces().Single().GetIPProperties().UnicastAddresses.Count > 0 ? "up" : "down");
    }

    [Fact]
    public void Sysctls_are_written_in_their_namespace_only()
    {
        NamespacePin.Create(NamespaceKind.Network, _place["net"]);
        NamespacePin.Create(NamespaceKind.Ipc, _place["ipc"]);
        var (port, shm) = (Sysctl.Read("net.ipv4.ip_unprivileged_port_start"), Sysctl.Read("kernel.shm_rmid_forced"));
        Sysctl.Write(
            new Dictionary<string, string>
            {
                ["net.ipv4.ip_unprivileged_port_start"] = "77",
                ["kernel.shm_rmid_forced"] = shm == "0" ? "1" : "0",
                ["net/ipv4/conf/lo/forwarding"] = "1",
            }, _place["net"], _place["ipc"]);
        Assert.Equal("77", NamespacePin.Run(NamespaceKind.Network, _place["net"], () => Sysctl.Read("net.ipv4.ip_unprivileged_port_start")));
        Assert.Equal(shm == "0" ? "1" : "0", NamespacePin.Run(NamespaceKind.Ipc, _place["ipc"], () => Sysctl.Read("kernel.shm_rmid_forced")));
        Assert.Equal((port, shm), (Sysctl.Read("net.ipv4.ip_unprivileged_port_start"), Sysctl.Read("kernel.shm_rmid_forced")));
    }

    [Theory]
    [InlineData("kernel.panic", "sysctl.not-namespaced")]
    [InlineData("kernel.msgmax", "sysctl.not-namespaced")] // no ipc namespace is given
    [InlineData("net.ipv4.no_such_thing", "sysctl.unknown")]
    [InlineData("net/../kernel/panic", "sysctl.bad-name")]
    [InlineData("net", "sysctl.bad-name")]
    [InlineData("net..x", "sysctl.bad-name")]
    public void A_sysctl_that_is_not_the_pods_is_refused(string name, string code)
    {
        NamespacePin.Create(NamespaceKind.Network, _place["net"]);
        Assert.Equal(code, Assert.Throws<FaultException>(() =>
            Sysctl.Write(new Dictionary<string, string> { [name] = "1" }, _place["net"], null)).Fault.Code);
    }
}
