using System.Collections.Immutable;

namespace Runtime.Actors.Containers;

/// <summary>What of /proc and /sys containers usually do not get to see or to write: the kubelet's Default proc mount.</summary>
internal static class ProcPaths
{
    public static readonly ImmutableArray<string> Masked =
    [
        "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
        "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
    ];

    public static readonly ImmutableArray<string> Readonly =
        ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];
}
