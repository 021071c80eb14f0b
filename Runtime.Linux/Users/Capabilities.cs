using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;

namespace Runtime.Linux.Users;

/// <summary>Names and numbers of capabilities(7).</summary>
public static class Capabilities
{
    /// <summary>All that are known here, by number, as the OCI runtime spec writes them.</summary>
    public static readonly ImmutableArray<string> Names =
    [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
        "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW",
        "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT",
        "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD",
        "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG",
        "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
    ];

    private static readonly FrozenDictionary<string, int> Numbers =
        Names.Select((name, number) => (name, number)).ToFrozenDictionary(pair => pair.name, pair => pair.number);

    private static readonly Lazy<int> KernelLast = new(() =>
        int.Parse(File.ReadAllText("/proc/sys/kernel/cap_last_cap"), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture));

    /// <summary>The highest number that this kernel has.</summary>
    public static int Last => KernelLast.Value;

    /// <summary>Those that this kernel has, by number: what <c>ALL</c> means.</summary>
    public static ImmutableArray<string> All => Last + 1 >= Names.Length ? Names : Names[..(Last + 1)];

    /// <summary>The number of <c>CAP_NET_RAW</c>, <c>NET_RAW</c> or <c>net_raw</c>; null for a name that is not known.</summary>
    public static int? Number(string name) => Numbers.TryGetValue(Canonical(name), out var number) ? number : null;

    /// <summary><c>net_raw</c> as <c>CAP_NET_RAW</c>: how the OCI runtime spec writes it. Known or not.</summary>
    public static string Canonical(string name)
    {
        var upper = name.ToUpperInvariant();
        return upper.StartsWith("CAP_", StringComparison.Ordinal) ? upper : $"CAP_{upper}";
    }

    /// <summary>The bounding set of this process: no container can have more.</summary>
    public static ImmutableArray<string> BoundingSet() => ReadSet("CapBnd:");

    /// <summary>The effective set of this process.</summary>
    public static ImmutableArray<string> EffectiveSet() => ReadSet("CapEff:");

    /// <summary>Names of a mask as /proc/PID/status has it; numbers without a known name are left out.</summary>
    public static ImmutableArray<string> FromMask(ulong mask) => [.. Names.Where((_, number) => (mask >> number & 1) != 0)];

    private static ImmutableArray<string> ReadSet(string field)
    {
        var line = File.ReadLines("/proc/self/status").First(line => line.StartsWith(field, StringComparison.Ordinal));
        return FromMask(ulong.Parse(line.AsSpan(field.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }
}
