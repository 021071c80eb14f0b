using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Runtime.Linux;
using Runtime.Linux.Cgroups;
using Runtime.Linux.Users;

namespace Runtime.Actors.Containers;

/// <summary>Reads the facts of this machine.</summary>
public static class HostProbe
{
    private const string ApparmorLoaded = "/sys/kernel/security/apparmor/profiles";

    /// <param name="restrictOomScore"><c>restrict_oom_score_adj</c>: never lower a score below the daemon's, even if the kernel would let us.</param>
    /// <param name="enableSelinux"><c>enable_selinux</c>: use SELinux where the kernel has it.</param>
    /// <param name="disableApparmor"><c>disable_apparmor</c>: as if the kernel had none.</param>
    public static HostFacts Read(string cgroupRoot = "/sys/fs/cgroup", bool restrictOomScore = false, bool disableApparmor = false, bool enableSelinux = false)
    {
        var isV2 = CgroupHierarchy.Detect(cgroupRoot).Mode == CgroupMode.V2;
        return new HostFacts
        {
            CgroupV2 = isV2,
            // What this process does not have it cannot give: "all" means all of these.
            Capabilities = Capabilities.EffectiveSet(),
            OomScoreAdj = OomScore.Get(),
            MayLowerOomScore = !restrictOomScore && OomScore.MayLower(),
            SwapLimits = isV2 ? HasV2Swap(cgroupRoot) : File.Exists(Path.Combine(cgroupRoot, "memory", "memory.memsw.limit_in_bytes")),
            Hugetlb = isV2
                ? File.ReadAllText(Path.Combine(cgroupRoot, "cgroup.controllers")).Split().Contains("hugetlb")
                : Directory.Exists(Path.Combine(cgroupRoot, "hugetlb")),
            RecursiveReadonly = KernelFeatures.Read().HasMountSetattr,
            Selinux = enableSelinux && HasSelinux("/sys"),
            Apparmor = !disableApparmor && HasApparmor("/sys", ApparmorDefault.Parser),
            Machine = RuntimeInformation.OSArchitecture switch
            {
                Architecture.X64 => "x86_64",
                Architecture.Arm64 => "aarch64",
                Architecture.S390x => "s390x",
                Architecture.Ppc64le => "ppc64le",
                Architecture.RiscV64 => "riscv64",
                var other => other.ToString(),
            },
        };
    }

    /// <summary>AppArmor profiles can be loaded at any time, so they are read anew for each container that asks for one.</summary>
    /// <param name="loaded">The kernel's list: a line <c>NAME (MODE)</c> for each; names can have spaces.</param>
    public static HostFacts WithApparmorProfiles(HostFacts host, string loaded = ApparmorLoaded) => host.Apparmor && File.Exists(loaded)
        ? host with { ApparmorProfiles = [.. File.ReadLines(loaded).Where(line => line.Contains(' ')).Select(line => line[..line.LastIndexOf(' ')])] }
        : host;

    internal static bool HasSelinux(string sysfs) => File.Exists($"{sysfs}/fs/selinux/enforce");

    /// <param name="parser">Without what loads profiles a kernel that has it is of no use.</param>
    internal static bool HasApparmor(string sysfs, string? parser)
    {
        var enabled = $"{sysfs}/module/apparmor/parameters/enabled";
        return parser is not null && File.Exists(enabled) && File.ReadAllText(enabled).StartsWith('Y');
    }

    // The root cgroup has no limits of its own; any other tells.
    private static bool HasV2Swap(string root) =>
        Directory.EnumerateDirectories(root).Take(16).Any(group => File.Exists(Path.Combine(group, "memory.swap.max")));
}
