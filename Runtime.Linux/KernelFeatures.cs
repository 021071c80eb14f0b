using Runtime.Linux.Files;
using Runtime.Linux.Mounts;

namespace Runtime.Linux;

/// <summary>Facts about the running kernel.</summary>
/// <param name="Release">As uname -r says.</param>
/// <param name="Version">The numbers at its start.</param>
/// <param name="HasMountSetattr">Recursive read-only mounts are possible: mount_setattr(2), Linux 5.12.</param>
/// <param name="HasOverlay">overlayfs is registered; as a module it may also come on the first mount.</param>
/// <param name="HasUserNamespaces">They are compiled in, and allowed by user.max_user_namespaces.</param>
public sealed record KernelFeatures(string Release, Version Version, bool HasMountSetattr, bool HasOverlay, bool HasUserNamespaces)
{
    /// <summary>Layers of an overlay can be id-mapped (Linux 5.19), for user namespaces.</summary>
    public bool HasIdMappedLayers => HasUserNamespaces && HasMountSetattr && Version >= new Version(5, 19);

    public static KernelFeatures Read()
    {
        var release = File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
        var overlay = File.ReadLines("/proc/filesystems").Any(line => line.EndsWith("\toverlay", StringComparison.Ordinal));
        return new(release, ParseVersion(release), ProbeMountSetattr(), overlay, ProbeUserNamespaces());
    }

    /// <summary>6.18 of <c>6.18.44-fc</c>.</summary>
    public static Version ParseVersion(string release)
    {
        var start = string.Concat(release.TakeWhile(c => char.IsAsciiDigit(c) || c == '.'));
        var numbers = start.Split('.', StringSplitOptions.RemoveEmptyEntries);
        return Version.TryParse(string.Join('.', numbers.Append("0").Take(Math.Max(2, Math.Min(3, numbers.Length)))), out var version)
            ? version
            : new(0, 0);
    }

    private static bool ProbeUserNamespaces()
    {
        const string allowed = "/proc/sys/user/max_user_namespaces";
        return File.Exists("/proc/self/ns/user") && File.Exists(allowed) && File.ReadAllText(allowed).Trim() != "0";
    }

    /// <summary>Asks for no change: ENOSYS tells a kernel (or a seccomp profile) without the call.</summary>
    private static bool ProbeMountSetattr() =>
        MountCalls.MountSetAttributes("/", FileConstants.AT_RECURSIVE, default) == 0 || Errno.Last != Errno.ENOSYS;
}
