using System.Text;
using System.Text.Json;
using Runtime.Shim.Bundles;
using Runtime.Shim.Commands;
using Runtime.Tests.Support;
using Runtime.Ttrpc.Bootstrap;
using Runtime.Ttrpc.Wire;
using Xunit;

namespace Runtime.Tests.Unit.Monitor;

public sealed class BundleTests
{
    [Theory]
    [InlineData("""{"annotations":{"io.kubernetes.cri.sandbox-id":"pod","x":"y"}}""", "pod", "", false)]
    [InlineData("""{"annotations":{"io.kubernetes.cri.sandbox-id":"pod","io.containerd.runc.v2.group":"g"}}""", "g", "", false)]
    [InlineData("""{"process":{"args":["a",{"b":[1]}]},"linux":{"resources":{"a":{}},"cgroupsPath":"/k/c","namespaces":[{"type":"pid"}]}}""", "", "/k/c", true)]
    [InlineData("""{"linux":{"namespaces":[{"type":"net"},{"path":"/proc/1/ns/pid","type":"pid"}]}}""", "", "", false)]
    [InlineData("{}", "", "", false)]
    public void The_spec_tells_pod_cgroup_and_pid_namespace(string json, string group, string cgroup, bool ownPids) =>
        Assert.Equal(new BundleSpec(group, cgroup, ownPids), BundleSpec.Parse(Encoding.UTF8.GetBytes(json)));

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"linux\":")]
    public void A_spec_that_is_no_object_is_refused(string json) =>
        Assert.ThrowsAny<JsonException>(() => BundleSpec.Parse(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void Exits_are_kept_until_they_are_removed()
    {
        using var bundle = new TempDirectory();
        var at = DateTimeOffset.UnixEpoch.AddTicks(17_000_000_000_000_001);
        BundleFiles.WriteExit(bundle.Path, "", 5, 137, at);
        BundleFiles.WriteExit(bundle.Path, "init", 6, 0, at);

        Assert.Equal((5, 137, at), BundleFiles.TryReadExit(bundle.Path, ""));
        Assert.Equal((6, 0, at), BundleFiles.TryReadExit(bundle.Path, "init"));
        BundleFiles.RemoveExit(bundle.Path, "");
        Assert.Null(BundleFiles.TryReadExit(bundle.Path, ""));
    }

    [Fact]
    public void Standard_input_of_start_may_be_parameters_options_or_nothing()
    {
        var options = WireAny.Pack("containerd.runc.v1.Options", new RuncOptionsMessage { ShimCgroup = "/s" });
        var parameters = new BootstrapParams { InstanceId = "c1", Namespace = "n", SocketDir = "/d", Extensions = [options] };

        Assert.Equal(new StartInput(false, null, new()), StartInput.Parse([], "c1"));
        Assert.Equal((false, "/s"), Of(WireWriter.ToArray(options)));
        Assert.Equal((true, "/s"), Of(WireWriter.ToArray(parameters)));
        Assert.Equal("/d", StartInput.Parse(WireWriter.ToArray(parameters), "c1").SocketDirectory);

        static (bool, string) Of(byte[] input)
        {
            var parsed = StartInput.Parse(input, "c1");
            return (parsed.IsBootstrap, parsed.Options.ShimCgroup);
        }
    }

    [Fact]
    public void Flags_are_read_in_gos_style()
    {
        var parsed = ShimArguments.Parse(["-namespace", "k8s.io", "--id=c1", "-debug", "-address", "/a", "-bundle", "/b", "delete"]);

        Assert.Equal(("k8s.io", "c1", true, "/a", "/b", ShimCommand.Delete),
            (parsed.Namespace, parsed.Id, parsed.Debug, parsed.Address, parsed.Bundle, parsed.Command));
    }
}
