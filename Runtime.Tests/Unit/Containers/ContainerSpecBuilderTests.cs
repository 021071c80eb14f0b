using System.Collections.Immutable;
using System.Text.Json;
using Runtime.Actors.Containers;
using Runtime.Actors.Images;
using Runtime.Actors.Sandboxes;
using Runtime.Actors.Shims;
using Runtime.Faults;
using Runtime.Oci.RuntimeSpec;
using Runtime.Tests.Support;
using Xunit;
using static Runtime.Tests.Support.SpecRequests;

namespace Runtime.Tests.Unit.Containers;

public sealed class ContainerSpecBuilderTests
{
    // Without it, Host means the namespace Runtime.Host here.
    private static HostFacts Host => Support.SpecRequests.Host;

    [Theory]
    [InlineData(null, null, "/entry serve")]
    [InlineData("run", null, "run")]
    [InlineData(null, "check now", "/entry check now")]
    [InlineData("run", "fast", "run fast")]
    public void A_command_drops_all_of_the_images_and_arguments_only_its_command(string? command, string? args, string expected)
    {
        var spec = Build(With(config => config with { Command = [.. Words(command)], Args = [.. Words(args)] }));
        Assert.Equal(expected, string.Join(' ', spec.Process!.Args!));

        static string[] Words(string? text) => text?.Split(' ') ?? [];
    }

    [Fact]
    public void No_command_at_all_is_refused() =>
        Assert.Contains("no command specified", Refused(Plain with { Image = new ImageDefaults() }).Message, StringComparison.Ordinal);

    [Fact]
    public void Environment_is_overridden_by_key_and_keeps_its_order()
    {
        var environment = Build(With(config => config with { Environment = [new("B", "asked"), new("C", "asked"), new("HOSTNAME", "mine")] })).Process!.Env!;
        Assert.Equal(
            ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=mine", "A=image", "B=asked", "C=asked"],
            environment);
    }

    [Theory]
    [InlineData("", "", "/")]
    [InlineData("", "srv", "/srv")]
    [InlineData("", "/srv", "/srv")]
    [InlineData("own", "/srv", "/own")]
    public void The_working_directory_is_the_requests_then_the_images_and_begins_at_the_root(string asked, string images, string expected) =>
        Assert.Equal(expected, Build(With(config => config with { WorkingDirectory = asked }) with { Image = Plain.Image with { WorkingDirectory = images } }).Process!.Cwd);

    [Fact]
    public void A_terminal_gives_TERM() =>
        Assert.Contains("TERM=xterm", Build(With(config => config with { Tty = true })).Process!.Env!);

    [Fact]
    public void Namespaces_are_the_sandboxs_with_an_own_pid_and_mount_namespace()
    {
        var namespaces = Build(Plain).Linux!.Namespaces!;
        Assert.Equal(["mount", "network", "ipc", "uts", "pid"], namespaces.Select(one => one.Type));
        Assert.Equal("/run/actord/netns/web", namespaces.Single(one => one.Type == "network").Path);
        Assert.Null(namespaces.Single(one => one.Type == "pid").Path);
    }

    [Fact]
    public void The_host_namespaces_are_left_out()
    {
        var host = Secured(security => security with { Pid = NamespaceMode.Node }) with
        {
            Sandbox = Sandbox with { NetworkNamespacePath = "", IpcNamespacePath = "", UtsNamespacePath = "" },
        };
        Assert.Equal(["mount"], Build(host).Linux!.Namespaces!.Select(one => one.Type));
        Assert.Equal("/dev/shm", MountAt(Build(host), "/dev/shm").Source);
    }

    [Fact]
    public void A_shared_pid_namespace_is_that_of_the_sandboxs_first_process()
    {
        var shared = Sandbox with { Pid = 4711, Config = Sandbox.Config with { Security = new SecurityOptions { Pid = NamespaceMode.Pod } } };
        var request = Secured(security => security with { Pid = NamespaceMode.Pod });
        Assert.Contains(new OciNamespace("pid", "/proc/4711/ns/pid"), Build(request with { Sandbox = shared }).Linux!.Namespaces!);
        Assert.Equal("container.pid-not-shared", Refused(request).Code);
    }

    [Fact]
    public void What_a_pod_shares_is_the_nodes_where_the_pod_has_the_nodes()
    {
        var nodes = Sandbox with { Config = Sandbox.Config with { Security = new SecurityOptions { Pid = NamespaceMode.Node } } };
        var spec = Build(Secured(security => security with { Pid = NamespaceMode.Pod }) with { Sandbox = nodes });
        Assert.DoesNotContain(spec.Linux!.Namespaces!, one => one.Type == "pid");
    }

    [Fact]
    public void A_cgroup_namespace_is_private_on_v2_unless_privileged()
    {
        var unified = SpecRequests.Host with { CgroupV2 = true };
        Assert.Contains(new OciNamespace("cgroup"), Build(Plain with { Host = unified }).Linux!.Namespaces!);
        var privileged = Secured(security => security with { Privileged = true }) with { Host = unified };
        Assert.DoesNotContain(new OciNamespace("cgroup"), Build(privileged).Linux!.Namespaces!);
    }

    [Theory]
    [InlineData("", "", 14, "CAP_KILL", "CAP_NET_ADMIN")]
    [InlineData("net_admin", "", 15, "CAP_NET_ADMIN", "CAP_SYS_ADMIN")]
    [InlineData("", "KILL", 13, "CAP_CHOWN", "CAP_KILL")]
    [InlineData("CHOWN", "ALL", 1, "CAP_CHOWN", "CAP_KILL")]
    [InlineData("ALL", "", 17, "CAP_SYS_ADMIN", "CAP_NONE")]
    [InlineData("ALL", "SYS_ADMIN", 16, "CAP_KILL", "CAP_SYS_ADMIN")]
    [InlineData("ALL", "CAP_ALL", 17, "CAP_SYS_ADMIN", "CAP_NONE")]
    public void Capabilities_are_dropped_then_added(string add, string drop, int count, string present, string absent)
    {
        var spec = Build(Secured(security => security with
        {
            CapabilitiesAdd = add.Length > 0 ? [add] : [],
            CapabilitiesDrop = drop.Length > 0 ? [drop] : [],
        }));
        var bounding = spec.Process!.Capabilities!.Bounding!;
        Assert.Equal(count, bounding.Count);
        Assert.Contains(present, bounding);
        Assert.DoesNotContain(absent, bounding);
        Assert.Equal(bounding, spec.Process.Capabilities.Effective);
        Assert.Null(spec.Process.Capabilities.Inheritable);
        Assert.Null(spec.Process.Capabilities.Ambient);
    }

    [Fact]
    public void A_capability_that_the_kernel_lacks_is_refused() =>
        Assert.Equal("container.unknown-capability", Refused(Secured(security => security with { CapabilitiesAdd = ["FLY"] })).Code);

    [Fact]
    public void An_ambient_capability_is_granted_and_inherited_and_no_other_is()
    {
        var capabilities = Build(Secured(security => security with { CapabilitiesDrop = ["ALL"], CapabilitiesAdd = ["chown"], CapabilitiesAmbient = ["net_admin"] }))
            .Process!.Capabilities!;
        Assert.Equal(["CAP_NET_ADMIN"], capabilities.Ambient!);
        Assert.Equal(["CAP_NET_ADMIN"], capabilities.Inheritable!);
        Assert.Equal(["CAP_CHOWN", "CAP_NET_ADMIN"], capabilities.Permitted!);
        Assert.Equal("container.unknown-capability", Refused(Secured(security => security with { CapabilitiesAmbient = ["FLY"] })).Code);
    }

    [Theory]
    [InlineData(false, false, true)]
    [InlineData(false, true, true)]
    [InlineData(true, false, false)]
    [InlineData(true, true, true)]
    public void A_privileged_container_may_use_any_device_unless_its_handler_keeps_the_hosts_away(bool withoutDevices, bool allAllowed, bool expected)
    {
        var request = Secured(security => security with { Privileged = true }) with
        {
            Handler = new RuntimeHandler { Name = "runc", PrivilegedWithoutHostDevices = withoutDevices, PrivilegedWithAllDevicesAllowed = allAllowed },
        };
        Assert.Equal(expected, Build(request).Linux!.Resources!.Devices![0].Allow);
    }

    [Fact]
    public void A_handler_can_have_the_cgroups_writable_and_nothing_else()
    {
        var spec = Build(Plain with { Handler = new RuntimeHandler { Name = "runc", CgroupWritable = true } });
        Assert.Contains("rw", MountAt(spec, "/sys/fs/cgroup").Options!);
        Assert.Contains("ro", MountAt(spec, "/sys").Options!);
        Assert.Contains("ro", MountAt(Build(Plain), "/sys/fs/cgroup").Options!);
    }

    [Fact]
    public void Limits_of_huge_pages_are_left_out_or_refused_where_the_machine_has_none()
    {
        var request = With(config => config with
        {
            Resources = new ContainerResources { HugepageLimits = ImmutableSortedDictionary<string, ulong>.Empty.Add("2MB", 4096) },
        });
        var limit = Assert.Single(Build(request with { Host = Host with { Hugetlb = true } }).Linux!.Resources!.HugepageLimits!);
        Assert.Equal(("2MB", 4096ul), (limit.PageSize, limit.Limit));
        Assert.Null(Build(request with { Host = Host with { Hugetlb = false } }).Linux!.Resources!.HugepageLimits);
        Assert.Equal("container.no-hugetlb", Refused(request with { Host = Host with { HugetlbRequired = true } }).Code);
    }

    [Fact]
    public void What_the_node_says_completes_a_request_and_the_usual_paths_replace_what_an_old_kubelet_sends()
    {
        var asked = new SecurityOptions { MaskedPaths = ["/proc/mine"] };
        var options = new ContainerOptions { Directories = Plain.Layout, Handlers = new RuntimeHandlers("runc", ImmutableSortedDictionary<string, RuntimeHandler>.Empty), Host = Host };
        Assert.Equal(["/proc/mine"], options.Complete(asked).MaskedPaths);
        Assert.Null(options.Complete(asked).Seccomp);
        var strict = options with { UsualProcPaths = true, UnsetSeccomp = new SecurityProfile(SecurityProfileKind.RuntimeDefault, "") };
        Assert.Contains("/proc/kcore", strict.Complete(asked).MaskedPaths);
        Assert.Contains("/proc/sys", strict.Complete(asked).ReadonlyPaths);
        Assert.Equal(SecurityProfileKind.RuntimeDefault, strict.Complete(asked).Seccomp!.Kind);
    }

    [Fact]
    public void A_privileged_container_has_every_capability_and_no_filter()
    {
        var spec = Build(Secured(security => security with
        {
            Privileged = true,
            Seccomp = new SecurityProfile(SecurityProfileKind.RuntimeDefault, ""),
            MaskedPaths = ["/proc/kcore"],
        }));
        Assert.Equal(SpecRequests.Host.Capabilities.Length, spec.Process!.Capabilities!.Bounding!.Count);
        Assert.Null(spec.Linux!.Seccomp);
        Assert.Null(spec.Linux.MaskedPaths);
        Assert.Contains("rw", MountAt(spec, "/sys").Options!);
        Assert.Equal([new OciDeviceRule(true, Access: "rwm")], spec.Linux.Resources!.Devices!);
    }

    [Fact]
    public void A_mount_of_the_request_replaces_the_default_of_the_same_place()
    {
        var spec = Build(Mounting(new ContainerMount { ContainerPath = "/etc/hosts/", HostPath = "/var/hosts" }));
        var hosts = Assert.Single(spec.Mounts!, mount => mount.Destination.StartsWith("/etc/hosts", StringComparison.Ordinal));
        Assert.Equal("/var/hosts", hosts.Source);
        Assert.Equal(["rbind", "rprivate", "rw"], hosts.Options!);
    }

    [Fact]
    public void Mounts_go_from_shallow_to_deep()
    {
        var mounts = Build(Mounting(new ContainerMount { ContainerPath = "/a", HostPath = "/x" })).Mounts!.Select(mount => mount.Destination).ToList();
        Assert.True(mounts.IndexOf("/a") < mounts.IndexOf("/etc/hosts"));
        Assert.True(mounts.IndexOf("/dev") < mounts.IndexOf("/dev/shm"));
    }

    [Fact]
    public void A_mount_over_dev_drops_the_defaults_inside()
    {
        var spec = Build(Mounting(new ContainerMount { ContainerPath = "/dev", HostPath = "/dev" }));
        Assert.DoesNotContain(spec.Mounts!, mount => mount.Destination is "/dev/pts" or "/dev/mqueue");
    }

    [Theory]
    [InlineData(MountPropagation.Private, SourcePropagation.Private, "rprivate", null)]
    [InlineData(MountPropagation.HostToContainer, SourcePropagation.Slave, "rslave", "rslave")]
    [InlineData(MountPropagation.HostToContainer, SourcePropagation.Shared, "rslave", "rslave")]
    [InlineData(MountPropagation.Bidirectional, SourcePropagation.Shared, "rshared", "rshared")]
    public void Propagation_becomes_an_option_and_the_root_follows(MountPropagation asked, SourcePropagation source, string option, string? root)
    {
        var spec = Build(Mounting(new ContainerMount { ContainerPath = "/data", HostPath = "/data", Propagation = asked }, source));
        Assert.Contains(option, MountAt(spec, "/data").Options!);
        Assert.Equal(root, spec.Linux!.RootfsPropagation);
    }

    [Theory]
    [InlineData(MountPropagation.HostToContainer, SourcePropagation.Private)]
    [InlineData(MountPropagation.Bidirectional, SourcePropagation.Slave)]
    public void Propagation_that_the_source_cannot_give_is_refused(MountPropagation asked, SourcePropagation source) =>
        Assert.Equal(FaultKind.FailedPrecondition, Refused(Mounting(new ContainerMount { ContainerPath = "/data", HostPath = "/data", Propagation = asked }, source)).Kind);

    [Theory]
    [InlineData(false, MountPropagation.Private)]
    [InlineData(true, MountPropagation.HostToContainer)]
    [InlineData(true, MountPropagation.Bidirectional)]
    public void Recursive_read_only_needs_read_only_and_private(bool readOnly, MountPropagation propagation)
    {
        var mount = new ContainerMount { ContainerPath = "/d", HostPath = "/d", RecursiveReadonly = true, Readonly = readOnly, Propagation = propagation };
        Assert.Equal("container.invalid-readonly", Refused(Mounting(mount, SourcePropagation.Shared)).Code);
    }

    [Fact]
    public void Recursive_read_only_on_an_old_kernel_says_so_as_the_kubelet_parses_it()
    {
        var mount = new ContainerMount { ContainerPath = "/d", HostPath = "/d", RecursiveReadonly = true, Readonly = true };
        Assert.Contains("rro", MountAt(Build(Mounting(mount)), "/d").Options!);
        var old = Mounting(mount) with { Host = SpecRequests.Host with { RecursiveReadonly = false } };
        Assert.StartsWith("RROUnsupported", Refused(old).Message, StringComparison.Ordinal);
        Assert.StartsWith("RROUnsupported", Refused(Mounting(mount) with { Features = HandlerFeatures.None }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Swap_is_the_memory_limit_unless_granted_and_shares_have_a_minimum()
    {
        var resources = Build(With(config => config with { Resources = new ContainerResources { MemoryLimit = 64 << 20, CpuShares = 1, CpuQuota = 50_000, CpuPeriod = 100_000 } })).Linux!.Resources!;
        Assert.Equal(new OciMemory { Limit = 64 << 20, Swap = 64 << 20 }, resources.Memory);
        Assert.Equal(new OciCpu { Shares = 2, Quota = 50_000, Period = 100_000 }, resources.Cpu);
        var none = With(config => config with { Resources = new ContainerResources { MemoryLimit = 64 << 20 } }) with { Host = SpecRequests.Host with { SwapLimits = false } };
        Assert.Null(Build(none).Linux!.Resources!.Memory!.Swap);
    }

    [Fact]
    public void Unified_values_pass_on_v2_and_only_pids_on_v1()
    {
        var unified = With(config => config with { Resources = new ContainerResources { Unified = ContainerResourcesUnified("pids.max", "100") } });
        Assert.Equal(100, Build(unified).Linux!.Resources!.Pids!.Limit);
        Assert.Equal("100", Build(unified with { Host = SpecRequests.Host with { CgroupV2 = true } }).Linux!.Resources!.Unified!["pids.max"]);
        var high = With(config => config with { Resources = new ContainerResources { Unified = ContainerResourcesUnified("memory.high", "1") } });
        Assert.Equal("container.no-cgroup-v2", Refused(high).Code);
    }

    [Fact]
    public void The_oom_score_is_clamped_where_it_may_not_be_lowered()
    {
        var request = With(config => config with { Resources = new ContainerResources { OomScoreAdjust = -997 } });
        Assert.Equal(-997, Build(request).Process!.OomScoreAdj);
        Assert.Equal(0, Build(request with { Host = SpecRequests.Host with { MayLowerOomScore = false } }).Process!.OomScoreAdj);
    }

    [Theory]
    [InlineData(false, "/kubepods/podpod-uid", "/kubepods/podpod-uid/" + ContainerId)]
    [InlineData(false, "", "/k8s.io/" + ContainerId)]
    [InlineData(true, "/kubepods.slice/kubepods-pod1.slice", "kubepods-pod1.slice:cri-containerd:" + ContainerId)]
    public void The_cgroup_path_follows_the_driver(bool systemd, string parent, string expected)
    {
        var request = Plain with
        {
            Sandbox = Sandbox with { Config = Sandbox.Config with { CgroupParent = parent } },
            Handler = new RuntimeHandler { Name = "runc", Options = new RuncOptions { SystemdCgroup = systemd } },
        };
        Assert.Equal(expected, Build(request).Linux!.CgroupsPath);
    }

    [Fact]
    public void Seccomp_is_off_unless_a_profile_is_named()
    {
        Assert.Null(Build(Plain).Linux!.Seccomp);
        Assert.Null(Build(Secured(security => security with { Seccomp = new SecurityProfile(SecurityProfileKind.Unconfined, "") })).Linux!.Seccomp);
    }

    [Fact]
    public void The_default_profile_filters_clone_unless_SYS_ADMIN_is_granted()
    {
        var request = Secured(security => security with { Seccomp = new SecurityProfile(SecurityProfileKind.RuntimeDefault, "") });
        var filtered = Build(request).Linux!.Seccomp!;
        Assert.Equal(OciSeccomp.Errno, filtered.DefaultAction);
        Assert.Contains(filtered.Syscalls!, rule => rule.Names.Contains("clone") && rule.Args is not null);
        Assert.DoesNotContain(filtered.Syscalls!, rule => rule.Names.Contains("sethostname") || rule.Names.Contains("mount"));
        var admin = Build(Secured(security => security with { Seccomp = new SecurityProfile(SecurityProfileKind.RuntimeDefault, ""), CapabilitiesAdd = ["SYS_ADMIN"] })).Linux!.Seccomp!;
        Assert.Contains(admin.Syscalls!, rule => rule.Names.Contains("sethostname"));
        Assert.Contains(admin.Syscalls!, rule => rule.Names.Contains("clone") && rule.Args is null);
    }

    [Fact]
    public void A_notifying_localhost_profile_is_refused()
    {
        var request = Secured(security => security with { Seccomp = new SecurityProfile(SecurityProfileKind.Localhost, "p.json") });
        var profile = new OciSeccomp { DefaultAction = OciSeccomp.Allow, Syscalls = [new OciSyscallRule(["open"], OciSeccomp.Notify)] };
        Assert.Equal("container.seccomp-notify", Refused(request with { Facts = Plain.Facts with { Seccomp = profile } }).Code);
        Assert.Equal("container.invalid-seccomp", Refused(request).Code);
    }

    [Fact]
    public void A_named_AppArmor_profile_is_refused_where_the_kernel_has_none_and_the_default_is_not()
    {
        Assert.Equal("container.no-apparmor", Refused(Secured(security => security with { Apparmor = new SecurityProfile(SecurityProfileKind.Localhost, "mine") })).Code);
        Assert.Null(Build(Secured(security => security with { Apparmor = new SecurityProfile(SecurityProfileKind.RuntimeDefault, "") })).Process!.ApparmorProfile);
        var loaded = Secured(security => security with { Apparmor = new SecurityProfile(SecurityProfileKind.Localhost, "localhost/mine") }) with { Host = SpecRequests.Host with { Apparmor = true, ApparmorProfiles = ["mine"] } };
        Assert.Equal("mine", Build(loaded).Process!.ApparmorProfile);
    }

    /// <summary>The profile that a container runs under where the kernel has AppArmor, or the code of its refusal.</summary>
    [Theory]
    [InlineData(null, "", false, null)]
    [InlineData(SecurityProfileKind.Unconfined, "", false, null)]
    [InlineData(SecurityProfileKind.RuntimeDefault, "", false, "cri-containerd.apparmor.d")]
    [InlineData(SecurityProfileKind.Localhost, "mine", false, "mine")]
    [InlineData(SecurityProfileKind.Localhost, "localhost/mine", false, "mine")]
    [InlineData(SecurityProfileKind.Localhost, "with a space", false, "with a space")]
    [InlineData(SecurityProfileKind.Localhost, "unknown", false, "container.apparmor-not-loaded")]
    [InlineData(SecurityProfileKind.Localhost, "../mine", false, "container.apparmor-not-loaded")]
    [InlineData(SecurityProfileKind.Localhost, "mine", true, null)]
    [InlineData(SecurityProfileKind.RuntimeDefault, "", true, null)]
    public void An_AppArmor_profile_is_one_that_is_loaded_and_none_for_a_privileged_container(
        SecurityProfileKind? kind, string name, bool privileged, string? expected)
    {
        var request = Secured(security => security with
        {
            Apparmor = kind is { } asked ? new SecurityProfile(asked, name) : null,
            Privileged = privileged,
        }) with
        {
            Host = Host with { Apparmor = true, ApparmorProfiles = ["mine", "with a space", ApparmorDefault.Name] },
        };

        if (expected?.Contains('.') == true && expected != ApparmorDefault.Name) Assert.Equal(expected, Refused(request).Code);
        else Assert.Equal(expected, Build(request).Process!.ApparmorProfile);
    }

    [Fact]
    public void Annotations_name_the_pod_and_pass_those_that_a_glob_takes()
    {
        var request = With(config => config with { Annotations = config.Annotations.Add("my.org/on", "1").Add("my.org/on/deep", "2").Add("other", "3") }) with
        {
            Handler = new RuntimeHandler { Name = "runc", ContainerAnnotations = ["my.org/*"] },
        };
        var annotations = Build(request).Annotations!;
        Assert.Equal("container", annotations["io.kubernetes.cri.container-type"]);
        Assert.Equal(SandboxId, annotations["io.kubernetes.cri.sandbox-id"]);
        Assert.Equal("1", annotations["my.org/on"]);
        Assert.False(annotations.ContainsKey("my.org/on/deep"));
        Assert.False(annotations.ContainsKey("other"));
    }

    [Fact]
    public void A_base_spec_is_kept_where_nothing_is_asked_with_its_unknown_members()
    {
        var start = OciSpecJson.Read("""{"ociVersion":"1.0.2","domainname":"d","process":{"rlimits":[{"type":"RLIMIT_NOFILE","hard":9,"soft":9}],"ioPriority":{"class":"IOPRIO_CLASS_BE"}},"linux":{"intelRdt":{"closID":"x"}}}"""u8, "base.json");
        using var built = JsonDocument.Parse(OciSpecJson.Write(Build(Plain with { Facts = Plain.Facts with { Base = start } })));
        Assert.Equal("d", built.RootElement.GetProperty("domainname").GetString());
        Assert.Equal("x", built.RootElement.GetProperty("linux").GetProperty("intelRdt").GetProperty("closID").GetString());
        Assert.Equal("IOPRIO_CLASS_BE", built.RootElement.GetProperty("process").GetProperty("ioPriority").GetProperty("class").GetString());
        Assert.Equal(9, built.RootElement.GetProperty("process").GetProperty("rlimits")[0].GetProperty("hard").GetInt32());
    }

    [Fact]
    public void A_spec_that_is_no_JSON_is_refused_with_its_place() =>
        Assert.Contains("base.json", Assert.Throws<FaultException>(() => OciSpecJson.Read("nonsense"u8, "base.json")).Message, StringComparison.Ordinal);

    [Fact]
    public void A_plain_container_gives_the_golden_spec() =>
        ContainerGolden.Check("container-plain.json", OciSpecJson.Write(Build(Plain)));

    private static ImmutableSortedDictionary<string, string> ContainerResourcesUnified(string key, string value) =>
        ImmutableSortedDictionary<string, string>.Empty.Add(key, value);

    private static OciSpec Build(SpecRequest request) => ContainerSpecBuilder.Build(request);

    private static OciMount MountAt(OciSpec spec, string path) => spec.Mounts!.Single(mount => mount.Destination == path);

    private static RuntimeFault Refused(SpecRequest request) => Assert.Throws<FaultException>(() => Build(request)).Fault;
}
