using Runtime.Actors.Containers;
using Runtime.Actors.Images;
using Runtime.Actors.Ports;
using Runtime.Actors.Sandboxes;
using Runtime.Actors.Shims;

namespace Runtime.Tests.Support;

/// <summary>A plain container of a kubelet-like pod, for tests that vary one thing of it.</summary>
public static class SpecRequests
{
    public const string ContainerId = "c0ffee0000000000000000000000000000000000000000000000000000000001";
    public const string SandboxId = "5a4db00000000000000000000000000000000000000000000000000000000001";

    public static HostFacts Host { get; } = new()
    {
        Capabilities =
        [
            "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
            "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_SYS_CHROOT", "CAP_SYS_ADMIN", "CAP_MKNOD",
            "CAP_AUDIT_WRITE", "CAP_SETFCAP",
        ],
        SwapLimits = true,
        RecursiveReadonly = true,
    };

    public static SandboxView Sandbox { get; } = new()
    {
        Id = SandboxId,
        Config = new SandboxConfig
        {
            Name = "web",
            Uid = "pod-uid",
            PodNamespace = "default",
            Hostname = "web-0",
            CgroupParent = "/kubepods/podpod-uid",
            Security = new SecurityOptions { Pid = NamespaceMode.Container },
        },
        Phase = SandboxPhase.Ready,
        CreatedAt = DateTimeOffset.UnixEpoch,
        NetworkNamespacePath = "/run/actord/netns/web",
        IpcNamespacePath = "/run/actord/sandboxes/web/ipc",
        UtsNamespacePath = "/run/actord/sandboxes/web/uts",
        RuntimeHandler = "runc",
    };

    public static ContainerConfig Config { get; } = new()
    {
        Name = "nginx",
        Image = "docker.io/library/nginx:1",
        Security = new SecurityOptions { Pid = NamespaceMode.Container },
    };

    public static SpecRequest Plain { get; } = new()
    {
        Id = ContainerId,
        Space = "k8s.io",
        Config = Config,
        Sandbox = Sandbox,
        Image = new ImageDefaults { Entrypoint = ["/entry"], Command = ["serve"], Environment = ["A=image", "B=image"] },
        ImageName = "docker.io/library/nginx:1",
        Handler = new RuntimeHandler { Name = "runc" },
        Features = new HandlerFeatures(RecursiveReadOnlyMounts: true, UserNamespaces: true),
        Layout = new DirectoryLayout("/var/lib/actord", "/run/actord"),
        Host = Host,
        Facts = new SpecFacts { User = new ContainerUser(0, 0, [0]) },
    };

    public static SpecRequest With(Func<ContainerConfig, ContainerConfig> change) => Plain with { Config = change(Config) };

    public static SpecRequest Secured(Func<SecurityOptions, SecurityOptions> change) =>
        With(config => config with { Security = change(config.Security) });

    public static SpecRequest Mounting(ContainerMount mount, SourcePropagation source = SourcePropagation.Private) =>
        With(config => config with { Mounts = [mount] }) with
        {
            Facts = Plain.Facts with { Mounts = [new MountSource(mount.HostPath, "/", source)] },
        };
}
