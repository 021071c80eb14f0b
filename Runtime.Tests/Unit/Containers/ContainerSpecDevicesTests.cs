using System.Collections.Immutable;
using Runtime.Actors.Containers;
using Runtime.Actors.Sandboxes;
using Runtime.Faults;
using Runtime.Oci.Cdi;
using Runtime.Oci.RuntimeSpec;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Containers;

/// <summary>Devices, resources and what the configuration decides about them, in a container's spec.</summary>
public sealed class ContainerSpecDevicesTests
{
    private static readonly DeviceNode Card = new("/dev/card", "c", 226, 0, 0b110_110_000, 0, 44, "rw");

    [Fact]
    public void Cdi_edits_are_merged_over_what_the_container_asked_for()
    {
        var edits = new CdiEdits
        {
            Environment = ["A=cdi", "NEW=1"],
            DeviceNodes = [new CdiDeviceNode { Path = "/dev/card", Type = "c", Major = 226, Minor = 1, Permissions = "r" }],
            Mounts = [new CdiMount { HostPath = "/host/lib", ContainerPath = "/etc/hosts" }],
            Hooks = [new CdiHook { Name = "createContainer", Path = "/hook" }],
            AdditionalGids = [44, 0],
            IntelRdt = new OciIntelRdt { ClosId = "gold" },
        };
        var spec = ContainerSpecBuilder.Build(SpecRequests.Plain with
        {
            Facts = new SpecFacts { User = new ContainerUser(1000, 1001, [1001]), Devices = [Card], Cdi = [edits] },
        });

        Assert.Equal(["A=cdi"], spec.Process!.Env!.Where(entry => entry.StartsWith("A=", StringComparison.Ordinal)));
        Assert.Contains("NEW=1", spec.Process.Env!);
        Assert.Equal([1001u, 44u], spec.Process.User!.AdditionalGids!);
        var device = Assert.Single(spec.Linux!.Devices!, device => device.Path == "/dev/card");
        // Who runs in the container may use it.
        Assert.Equal((1L, 1000u, 1001u), (device.Minor, device.Uid, device.Gid));
        Assert.Contains(new OciDeviceRule(true, "c", 226, 1, "r"), spec.Linux.Resources!.Devices!);
        Assert.Equal("/host/lib", Assert.Single(spec.Mounts!, mount => mount.Destination == "/etc/hosts").Source);
        Assert.Equal("/hook", Assert.Single(spec.Hooks!.CreateContainer!).Path);
        Assert.Equal("gold", spec.Linux.IntelRdt!.ClosId);
    }

    [Fact]
    public void Cdi_devices_are_named_by_the_field_and_by_annotations() => Assert.Equal(
        ["a/b=1", "a/b=2", "a/b=3"],
        ContainerSpecBuilder.CdiDevicesOf(SpecRequests.Config with
        {
            CdiDevices = ["a/b=1"],
            Annotations = ImmutableSortedDictionary<string, string>.Empty.Add("cdi.k8s.io/plugin", "a/b=2, a/b=3").Add("other", "a/b=4"),
        }));

    [Theory]
    [InlineData("blockio")]
    [InlineData("rdt")]
    public void A_class_that_the_node_does_not_offer_is_refused_unless_it_may_be_ignored(string kind)
    {
        var config = SpecRequests.Config;
        var pod = SpecRequests.Sandbox with
        {
            Config = SpecRequests.Sandbox.Config with
            {
                Annotations = ImmutableSortedDictionary<string, string>.Empty
                    .Add($"{kind}.resources.beta.kubernetes.io/pod", "silver").Add($"{kind}.resources.beta.kubernetes.io/container.nginx", "gold"),
            },
        };
        var refused = Assert.Throws<FaultException>(() => ResourceClasses.Check(config, pod, new ContainerPolicy()));
        Assert.Contains("\"gold\"", refused.Message, StringComparison.Ordinal);
        Assert.Contains($"{(kind == "rdt" ? "RDT" : kind)} disabled, refusing to set", refused.Message, StringComparison.Ordinal);
        ResourceClasses.Check(config, pod, new ContainerPolicy { IgnoreBlockIoClasses = true, IgnoreRdtClasses = true });
        ResourceClasses.Check(config, SpecRequests.Sandbox, new ContainerPolicy());
    }

    [Fact]
    public void Labels_are_the_pods_level_with_the_types_of_the_policy_and_none_without_selinux()
    {
        var request = SpecRequests.Secured(security => security with { Selinux = new SelinuxOptions("", "", "web_t", "") }) with
        {
            Host = SpecRequests.Host with { Selinux = true },
            Sandbox = SpecRequests.Sandbox with { SelinuxLevel = "s0:c1,c2" },
        };
        var spec = ContainerSpecBuilder.Build(request);
        Assert.Equal("system_u:system_r:web_t:s0:c1,c2", spec.Process!.SelinuxLabel);
        Assert.Equal("system_u:object_r:container_file_t:s0:c1,c2", spec.Linux!.MountLabel);
        var privileged = request with { Config = request.Config with { Security = request.Config.Security with { Privileged = true } } };
        Assert.Contains(":spc_t:", ContainerSpecBuilder.Build(privileged).Process!.SelinuxLabel, StringComparison.Ordinal);
        Assert.Null(ContainerSpecBuilder.Build(request with { Host = SpecRequests.Host }).Process!.SelinuxLabel);
    }

    [Fact]
    public void A_pod_with_a_user_namespace_gives_it_to_its_containers_and_binds_what_is_the_hosts()
    {
        var map = new IdMapping(65_536, 0, 65_536);
        var sandbox = SpecRequests.Sandbox with
        {
            UserNamespacePath = "/run/actord/sandboxes/web/user",
            NetworkNamespacePath = "",
            Config = SpecRequests.Sandbox.Config with { Security = new SecurityOptions { Pid = NamespaceMode.Container, User = NamespaceMode.Pod, UidMappings = [map], GidMappings = [map] } },
        };
        var mount = new ContainerMount { ContainerPath = "/v", HostPath = "/v", UidMappings = [map], GidMappings = [map] };
        var spec = ContainerSpecBuilder.Build(SpecRequests.Mounting(mount) with { Sandbox = sandbox });
        Assert.Contains(new OciNamespace("user", "/run/actord/sandboxes/web/user"), spec.Linux!.Namespaces!);
        Assert.Equal([new OciIdMapping(0, 65_536, 65_536)], spec.Linux.UidMappings!);
        Assert.Equal([new OciIdMapping(0, 65_536, 65_536)], spec.Mounts!.Single(each => each.Destination == "/v").GidMappings!);
        // The network is the host's, so its sysfs can only be bound; the ipc namespace is the pod's own.
        Assert.Equal(("bind", "/sys"), spec.Mounts!.Where(each => each.Destination == "/sys").Select(each => (each.Type, each.Source)).Single());
        Assert.Equal("mqueue", spec.Mounts!.Single(each => each.Destination == "/dev/mqueue").Type);
    }
}
