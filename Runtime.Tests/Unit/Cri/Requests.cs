using Runtime.Cri.V1;

namespace Runtime.Tests.Unit.Cri;

/// <summary>The smallest requests that are complete.</summary>
internal static class Requests
{
    public static PodSandboxConfig Sandbox() => new()
    {
        Metadata = new PodSandboxMetadata { Name = "pod", Uid = "uid-1", Namespace = "default" },
        Linux = new LinuxPodSandboxConfig { SecurityContext = new LinuxSandboxSecurityContext() },
    };

    public static ContainerConfig Container() => new()
    {
        Metadata = new ContainerMetadata { Name = "main" },
        Image = new ImageSpec { Image = "busybox" },
        Linux = new LinuxContainerConfig { SecurityContext = new LinuxContainerSecurityContext() },
    };
}
