using System.Text.Json.Nodes;
using Runtime.Actors.Containers;
using Runtime.Actors.Sandboxes;
using Runtime.Actors.Shims;
using Runtime.Cri.Mapping;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Cri;

/// <summary>The keys that containerd's verbose status has, and scripts read with <c>crictl inspect</c>.</summary>
public sealed class InfoJsonTests
{
    private static readonly RuntimeHandler Handler = new()
    {
        Name = "runc",
        Options = new RuncOptions { BinaryName = "crun", SystemdCgroup = true },
    };

    [Fact]
    public void A_sandbox_has_the_keys_of_containerd()
    {
        var view = SpecRequests.Sandbox with
        {
            Pid = 42,
            Ips = ["10.0.0.2", "fd00::2"],
            CniResult = """{"cniVersion":"1.0.0","interfaces":[{"name":"cni0","mac":"aa"},{"name":"eth0","mac":"bb","sandbox":"/ns"}],"ips":[{"address":"10.0.0.2/24","gateway":"10.0.0.1","interface":1}],"routes":[{"dst":"0.0.0.0/0"}],"dns":{"nameservers":["1.1.1.1"]}}""",
            PauseSnapshotter = "overlayfs",
        };

        var info = JsonNode.Parse(InfoJson.OfSandbox(view, Handler, "pause:1", """{"ociVersion":"1.0.2"}"""u8.ToArray()))!.AsObject();

        Assert.Empty(new[]
        {
            "pid", "processStatus", "netNamespaceClosed", "image", "snapshotKey", "snapshotter", "runtimeHandler", "runtimeType", "runtimeOptions",
            "config", "runtimeSpec", "cniResult", "sandboxMetadata",
        }.Except(info.Select(member => member.Key)));
        Assert.Equal((view.Id, "overlayfs", "pause:1"), ((string?)info["snapshotKey"], (string?)info["snapshotter"], (string?)info["image"]));
        Assert.Equal("""{"binary_name":"crun","systemd_cgroup":true}""", info["runtimeOptions"]!.ToJsonString());
        Assert.Equal("io.containerd.runc.v2", (string?)info["runtimeType"]);
        Assert.Equal("1.0.2", (string?)info["runtimeSpec"]!["ociVersion"]);
        Assert.Equal("web", (string?)info["config"]!["metadata"]!["name"]);
        Assert.Equal("/kubepods/podpod-uid", (string?)info["config"]!["linux"]!["cgroup_parent"]);
        Assert.Equal("web_default_pod-uid_0", (string?)info["sandboxMetadata"]!["Metadata"]!["Name"]);
        Assert.Equal("fd00::2", (string?)info["sandboxMetadata"]!["Metadata"]!["AdditionalIPs"]![0]);
    }

    [Theory]
    [InlineData("""{"interfaces":[{"name":"cni0","mac":"aa"},{"name":"eth0","mac":"bb","sandbox":"/ns"}],"ips":[{"address":"10.0.0.2/24","gateway":"10.0.0.1","interface":1}]}""", "10.0.0.2", "10.0.0.1")]
    [InlineData("""{"ips":[{"address":"fd00::2/64"}]}""", "fd00::2", "")]
    [InlineData("""{"cniVersion":"0.2.0","ip4":{"ip":"10.0.0.3/24","gateway":"10.0.0.1"}}""", "10.0.0.3", "10.0.0.1")]
    public void A_result_of_any_version_shows_the_address_of_eth0(string result, string address, string gateway)
    {
        var info = JsonNode.Parse(InfoJson.OfSandbox(SpecRequests.Sandbox with { CniResult = result }, null, "", null))!;

        var shown = info["cniResult"]!["Interfaces"]!["eth0"]!["IPConfigs"]![0]!;
        Assert.Equal((address, gateway), ((string?)shown["IP"], (string?)shown["Gateway"]));
        Assert.NotNull(info["cniResult"]!["DNS"]);
        Assert.NotNull(info["cniResult"]!["Routes"]);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"interfaces":5,"ips":["x",{"interface":"y"}],"routes":null,"dns":null}""")]
    [InlineData("""{"interfaces":[{}],"ips":[{"interface":-1},{"interface":99999999999}]}""")]
    public void A_result_with_anything_missing_or_wrong_is_shown_all_the_same(string result) =>
        Assert.NotNull(JsonNode.Parse(InfoJson.OfSandbox(SpecRequests.Sandbox with { CniResult = result }, null, "", null))!["cniResult"]!["Interfaces"]);

    [Fact]
    public void A_container_has_the_keys_of_containerd_and_the_request_by_the_proto_files_names()
    {
        var view = ScriptedDomain.Container() with
        {
            SnapshotKey = "key",
            Snapshotter = "native",
            Config = SpecRequests.Config with
            {
                Environment = [new("A", "1")],
                Mounts = [new ContainerMount { ContainerPath = "/v", Image = "busybox", ImageSubPath = "sub", Readonly = true }],
                Devices = [new ContainerDevice("/dev/x", "/dev/null", "rw")],
                CdiDevices = ["a/b=c"],
                Resources = new ContainerResources { CpuShares = 7 },
                Security = new SecurityOptions
                {
                    RunAsUser = 0,
                    CapabilitiesAdd = ["CAP_KILL"],
                    Seccomp = new SecurityProfile(SecurityProfileKind.Localhost, "/p.json"),
                    User = NamespaceMode.Pod,
                    UidMappings = [new IdMapping(65536, 0, 10)],
                },
            },
        };

        var info = JsonNode.Parse(InfoJson.OfContainer(view, Handler, null))!.AsObject();

        Assert.Empty(new[] { "sandboxID", "pid", "removing", "snapshotKey", "snapshotter", "runtimeType", "runtimeOptions", "config" }
            .Except(info.Select(member => member.Key)));
        var config = info["config"]!;
        Assert.Equal("""[{"key":"A","value":"1"}]""", config["envs"]!.ToJsonString());
        Assert.Equal(("busybox", "sub"), ((string?)config["mounts"]![0]!["image"]!["image"], (string?)config["mounts"]![0]!["image_sub_path"]));
        Assert.Equal("""[{"container_path":"/dev/x","host_path":"/dev/null","permissions":"rw"}]""", config["devices"]!.ToJsonString());
        Assert.Equal("""[{"name":"a/b=c"}]""", config["CDI_devices"]!.ToJsonString());
        Assert.Equal("""{"cpu_shares":7}""", config["linux"]!["resources"]!.ToJsonString());
        var security = config["linux"]!["security_context"]!;
        Assert.Equal("""{"value":0}""", security["run_as_user"]!.ToJsonString());
        Assert.Equal("CAP_KILL", (string?)security["capabilities"]!["add_capabilities"]![0]);
        Assert.Equal("""{"profile_type":2,"localhost_ref":"/p.json"}""", security["seccomp"]!.ToJsonString());
        Assert.Equal("""{"mode":0,"uids":[{"host_id":65536,"container_id":0,"length":10}]}""", security["namespace_options"]!["userns_options"]!.ToJsonString());
    }
}
