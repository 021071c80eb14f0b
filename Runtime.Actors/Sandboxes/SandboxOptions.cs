using Runtime.Actors.Ports;
using Runtime.Actors.Shims;

namespace Runtime.Actors.Sandboxes;

/// <summary>What sandboxes need to know of the node and its configuration.</summary>
public sealed record SandboxOptions
{
    public required DirectoryLayout Directories { get; init; }

    public required RuntimeHandlers Handlers { get; init; }

    /// <summary>The node's name: the pod's, where it gives none or is on the host's network.</summary>
    public required string Hostname { get; init; }

    /// <summary>Changes with every boot of the machine: <c>/proc/sys/kernel/random/boot_id</c>.</summary>
    public required string BootId { get; init; }

    public string CgroupRoot { get; init; } = "/sys/fs/cgroup";

    /// <summary>How many SELinux categories pods are kept apart by; 0 without SELinux. <c>selinux_category_range</c>.</summary>
    public int SelinuxCategories { get; init; }

    /// <summary>Pods with their own network may bind ports below 1024. <c>enable_unprivileged_ports</c>.</summary>
    public bool UnprivilegedPorts { get; init; } = true;

    /// <summary>Pods with their own network may ping. <c>enable_unprivileged_icmp</c>.</summary>
    public bool UnprivilegedIcmp { get; init; } = true;

    /// <summary>Image of the pause container that every pod gets; null: none gets one. <c>pause</c> and <c>sandbox_image</c>.</summary>
    public string? PauseImage { get; init; }

    public string PauseSnapshotter { get; init; } = "overlayfs";

    /// <summary>How long a sandbox whose callers have gone waits for the retry. The kubelet's comes within 2 minutes.</summary>
    public TimeSpan UntakenLimit { get; init; } = TimeSpan.FromMinutes(4);

    /// <summary>Limit of the shim's start and of each call to it.</summary>
    public TimeSpan ShimTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long the containers of a sandbox may take, from one answer to the next, to stop or to be removed.</summary>
    public TimeSpan ContainersTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Pause before a stop or removal that failed is tried again by itself; doubles up to <see cref="RetryMax"/>.</summary>
    public TimeSpan RetryMin { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan RetryMax { get; init; } = TimeSpan.FromSeconds(30);
}
