using System.Collections.Immutable;

namespace Runtime.Actors.Sandboxes;

public enum SandboxPhase
{
    /// <summary>RunSandbox is under way; not yet listed by CRI.</summary>
    Creating,
    Ready,
    NotReady,

    /// <summary>Removal has begun and goes on until it succeeds.</summary>
    Removing,
}

/// <summary>What lists and status calls see of a sandbox.</summary>
public sealed record SandboxView
{
    /// <summary>64 hex digits.</summary>
    public required string Id { get; init; }

    public required SandboxConfig Config { get; init; }

    public required SandboxPhase Phase { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>It was ready once, whatever came of it: subscribers of events have heard of it.</summary>
    public bool HasRun { get; init; }

    /// <summary>First is the primary; empty on the host network and after stop.</summary>
    public ImmutableArray<string> Ips { get; init; } = [];

    /// <summary>The pinned network namespace's file; empty on the host network and after stop.</summary>
    public string NetworkNamespacePath { get; init; } = "";

    /// <summary>The pinned IPC and UTS namespaces; empty where the host's are used.</summary>
    public string IpcNamespacePath { get; init; } = "";

    public string UtsNamespacePath { get; init; } = "";

    /// <summary>The pinned user namespace, which owns the others; empty where the host's is used.</summary>
    public string UserNamespacePath { get; init; } = "";

    /// <summary>SELinux level of its processes and files; empty without SELinux.</summary>
    public string SelinuxLevel { get; init; } = "";

    /// <summary>
    /// A thread or process whose /proc entry shows the pod's network, as cAdvisor wants it. With a shared pid namespace it
    /// is that namespace's pid 1. 0 when there is none.
    /// </summary>
    public uint Pid { get; init; }

    /// <summary>Full path under the cgroup root of the leaf that is named by the sandbox id.</summary>
    public string CgroupPath { get; init; } = "";

    /// <summary>The handler after resolution of the default.</summary>
    public string RuntimeHandler { get; init; } = "";

    /// <summary>JSON of the CNI result, for verbose status; empty on the host network.</summary>
    public string CniResult { get; init; } = "";

    /// <summary>Snapshotter of the pause container's root file system, whose key is the sandbox's id; empty without a pause container.</summary>
    public string PauseSnapshotter { get; init; } = "";

    /// <summary>The host's name where the config's was empty.</summary>
    public string Hostname { get; init; } = "";

    /// <summary>Why it is not ready, where that was not asked for; else empty.</summary>
    public string Reason { get; init; } = "";
}
