using System.Collections.Immutable;

namespace Runtime.Actors.Containers;

/// <summary>What this machine can do, as far as a container's spec depends on it. Read once at start.</summary>
public sealed record HostFacts
{
    /// <summary>True where the unified hierarchy is mounted at /sys/fs/cgroup; false for v1 and hybrid.</summary>
    public bool CgroupV2 { get; init; }

    /// <summary>Names with CAP_ of every capability that the kernel has.</summary>
    public ImmutableArray<string> Capabilities { get; init; } = [];

    /// <summary>oom_score_adj of the daemon.</summary>
    public int OomScoreAdj { get; init; }

    /// <summary>False: a container's oom_score_adj cannot be lower than the daemon's (no CAP_SYS_RESOURCE).</summary>
    public bool MayLowerOomScore { get; init; } = true;

    /// <summary>The kernel accounts swap, so that limits of it can be set.</summary>
    public bool SwapLimits { get; init; }

    public bool Hugetlb { get; init; }

    /// <summary>Limits of huge pages are refused where they cannot be set. False: they are left out then.</summary>
    public bool HugetlbRequired { get; init; }

    /// <summary>mount_setattr(2) is there: kernel 5.12 or later.</summary>
    public bool RecursiveReadonly { get; init; }

    public bool Apparmor { get; init; }

    /// <summary>The kernel enforces or watches SELinux policies, and <c>enable_selinux</c> is set.</summary>
    public bool Selinux { get; init; }

    /// <summary>Loaded AppArmor profiles.</summary>
    public ImmutableHashSet<string> ApparmorProfiles { get; init; } = [];

    /// <summary>Of <c>uname -m</c>: decides the system calls of the default seccomp profile.</summary>
    public string Machine { get; init; } = "x86_64";
}
