using System.Globalization;
using Runtime.Actors.Containers;
using Runtime.Actors.Sandboxes;
using Runtime.Actors.Statistics;

namespace Runtime.Cri.Mapping;

/// <summary>
/// Usage as metrics with the names and labels that the kubelet's cAdvisor gives them, so that dashboards need no change. Every
/// metric has exactly the labels of its descriptor: the kubelet drops one that has not.
/// </summary>
internal static class MetricMapping
{
    private const ulong NanosecondsPerSecond = 1_000_000_000;
    private const ulong SectorBytes = 512;

    private static readonly string[] Common = ["id", "name", "image", "container", "pod", "namespace"];

    private static readonly V1.MetricDescriptor[] OfCgroup =
    [
        Describe("container_cpu_usage_seconds_total", "Cumulative cpu time consumed in seconds."),
        Describe("container_cpu_user_seconds_total", "Cumulative user cpu time consumed in seconds."),
        Describe("container_cpu_system_seconds_total", "Cumulative system cpu time consumed in seconds."),
        Describe("container_cpu_cfs_periods_total", "Number of elapsed enforcement period intervals."),
        Describe("container_cpu_cfs_throttled_periods_total", "Number of throttled period intervals."),
        Describe("container_cpu_cfs_throttled_seconds_total", "Total time duration the container has been throttled."),
        Describe("container_memory_usage_bytes", "Current memory usage in bytes, whenever it was last touched."),
        Describe("container_memory_max_usage_bytes", "Maximum memory usage recorded in bytes."),
        Describe("container_memory_working_set_bytes", "Current working set in bytes."),
        Describe("container_memory_rss", "Size of anonymous memory in bytes."),
        Describe("container_memory_cache", "Number of bytes of page cache memory."),
        Describe("container_memory_mapped_file", "Size of memory mapped files in bytes."),
        Describe("container_memory_kernel_usage", "Size of kernel memory allocated in bytes."),
        Describe("container_memory_swap", "Container swap usage in bytes."),
        Describe("container_memory_failcnt", "Number of times that memory usage hit its limit."),
        Describe("container_memory_total_active_file_bytes", "Current total active file pages in bytes."),
        Describe("container_memory_total_inactive_file_bytes", "Current total inactive file pages in bytes."),
        Describe("container_memory_failures_total", "Cumulative count of page faults.", "failure_type", "scope"),
        Describe("container_oom_events_total", "Count of out of memory events observed for the container."),
        Describe("container_spec_memory_limit_bytes", "Memory limit for the container; 0 for none."),
        Describe("container_fs_reads_bytes_total", "Cumulative count of bytes read.", "device"),
        Describe("container_fs_writes_bytes_total", "Cumulative count of bytes written.", "device"),
        Describe("container_fs_reads_total", "Cumulative count of reads completed.", "device"),
        Describe("container_fs_writes_total", "Cumulative count of writes completed.", "device"),
        Describe("container_fs_sector_reads_total", "Cumulative count of sector reads completed.", "device"),
        Describe("container_fs_sector_writes_total", "Cumulative count of sector writes completed.", "device"),
        Describe("container_processes", "Number of processes running inside the container."),
        Describe("container_threads", "Number of threads running inside the container."),
        Describe("container_threads_max", "Maximum number of threads allowed inside the container; 0 for no limit."),
    ];

    private static readonly V1.MetricDescriptor[] OfLayer =
    [
        Describe("container_fs_usage_bytes", "Number of bytes that the container's writable layer takes.", "device"),
        Describe("container_fs_inodes_used", "Number of inodes that the container's writable layer takes.", "device"),
    ];

    private static readonly V1.MetricDescriptor[] OfNetwork =
    [
        Describe("container_network_receive_bytes_total", "Cumulative count of bytes received.", "interface"),
        Describe("container_network_receive_packets_total", "Cumulative count of packets received.", "interface"),
        Describe("container_network_receive_errors_total", "Cumulative count of errors encountered while receiving.", "interface"),
        Describe("container_network_receive_packets_dropped_total", "Cumulative count of packets dropped while receiving.", "interface"),
        Describe("container_network_transmit_bytes_total", "Cumulative count of bytes transmitted.", "interface"),
        Describe("container_network_transmit_packets_total", "Cumulative count of packets transmitted.", "interface"),
        Describe("container_network_transmit_errors_total", "Cumulative count of errors encountered while transmitting.", "interface"),
        Describe("container_network_transmit_packets_dropped_total", "Cumulative count of packets dropped while transmitting.", "interface"),
    ];

    public static IEnumerable<V1.MetricDescriptor> Descriptors => [.. OfCgroup, .. OfLayer, .. OfNetwork];

    public static V1.PodSandboxMetrics ToWire(SandboxView view, PodUsage usage)
    {
        var metrics = new V1.PodSandboxMetrics { PodSandboxId = view.Id };
        var labels = new[] { CgroupPaths.OfPod(view), view.Id, "", "", view.Config.Name, view.Config.PodNamespace };
        if (usage.Pod is { } pod) metrics.Metrics.AddRange(Cgroup(pod, labels));
        if (usage.Network is { } network) metrics.Metrics.AddRange(Network(network, labels));
        return metrics;
    }

    public static V1.ContainerMetrics ToWire(SandboxView pod, ContainerView view, ContainerUsage usage)
    {
        var metrics = new V1.ContainerMetrics { ContainerId = view.Id };
        var labels = new[]
        {
            $"{CgroupPaths.OfPod(pod)}/{view.Id}", view.Id, view.ImageRef, view.Config.Name, pod.Config.Name, pod.Config.PodNamespace,
        };
        if (usage.Cgroup is { } cgroup) metrics.Metrics.AddRange(Cgroup(cgroup, labels));
        if (usage.Layer is { } layer)
        {
            var at = WireTime.Nanoseconds(layer.At);
            metrics.Metrics.Add(Gauge("container_fs_usage_bytes", at, (ulong)layer.Bytes, [.. labels, layer.Mountpoint]));
            metrics.Metrics.Add(Gauge("container_fs_inodes_used", at, (ulong)layer.Inodes, [.. labels, layer.Mountpoint]));
        }
        return metrics;
    }

    private static IEnumerable<V1.Metric> Cgroup(CgroupUsage usage, string[] labels)
    {
        var at = WireTime.Nanoseconds(usage.At);
        if (usage.Statistics.Cpu is { } cpu)
        {
            yield return Counter("container_cpu_usage_seconds_total", at, cpu.UsageNanoseconds / NanosecondsPerSecond, labels);
            yield return Counter("container_cpu_user_seconds_total", at, cpu.UserNanoseconds / NanosecondsPerSecond, labels);
            yield return Counter("container_cpu_system_seconds_total", at, cpu.SystemNanoseconds / NanosecondsPerSecond, labels);
            yield return Counter("container_cpu_cfs_periods_total", at, cpu.Periods, labels);
            yield return Counter("container_cpu_cfs_throttled_periods_total", at, cpu.ThrottledPeriods, labels);
            yield return Counter("container_cpu_cfs_throttled_seconds_total", at, cpu.ThrottledNanoseconds / NanosecondsPerSecond, labels);
        }
        if (usage.Statistics.Memory is { } memory)
        {
            yield return Gauge("container_memory_usage_bytes", at, memory.Usage, labels);
            yield return Gauge("container_memory_max_usage_bytes", at, memory.MaxUsage, labels);
            yield return Gauge("container_memory_working_set_bytes", at, memory.WorkingSet, labels);
            yield return Gauge("container_memory_rss", at, memory.Rss, labels);
            yield return Gauge("container_memory_cache", at, memory.Cache, labels);
            yield return Gauge("container_memory_mapped_file", at, memory.MappedFile, labels);
            yield return Gauge("container_memory_kernel_usage", at, memory.Kernel, labels);
            yield return Gauge("container_memory_swap", at, memory.Swap ?? 0, labels);
            yield return Counter("container_memory_failcnt", at, memory.LimitHits, labels);
            yield return Gauge("container_memory_total_active_file_bytes", at, memory.ActiveFile, labels);
            yield return Gauge("container_memory_total_inactive_file_bytes", at, memory.InactiveFile, labels);
            yield return Counter("container_memory_failures_total", at, memory.PageFaults, [.. labels, "pgfault", "container"]);
            yield return Counter("container_memory_failures_total", at, memory.MajorPageFaults, [.. labels, "pgmajfault", "container"]);
            yield return Counter("container_oom_events_total", at, memory.OomKills, labels);
            yield return Gauge("container_spec_memory_limit_bytes", at, memory.Limit ?? 0, labels);
        }
        foreach (var device in usage.Statistics.Io)
        {
            string[] ofDevice = [.. labels, string.Create(CultureInfo.InvariantCulture, $"{device.Major}:{device.Minor}")];
            yield return Counter("container_fs_reads_bytes_total", at, device.ReadBytes, ofDevice);
            yield return Counter("container_fs_writes_bytes_total", at, device.WrittenBytes, ofDevice);
            yield return Counter("container_fs_reads_total", at, device.Reads, ofDevice);
            yield return Counter("container_fs_writes_total", at, device.Writes, ofDevice);
            yield return Counter("container_fs_sector_reads_total", at, device.ReadBytes / SectorBytes, ofDevice);
            yield return Counter("container_fs_sector_writes_total", at, device.WrittenBytes / SectorBytes, ofDevice);
        }
        yield return Gauge("container_processes", at, (ulong)usage.Processes, labels);
        if (usage.Statistics.Pids is not { } pids) yield break;
        yield return Gauge("container_threads", at, pids.Current, labels);
        yield return Gauge("container_threads_max", at, pids.Limit ?? 0, labels);
    }

    private static IEnumerable<V1.Metric> Network(NetworkUsage usage, string[] labels)
    {
        var at = WireTime.Nanoseconds(usage.At);
        foreach (var one in usage.Interfaces)
        {
            string[] named = [.. labels, one.Name];
            yield return Counter("container_network_receive_bytes_total", at, one.ReceivedBytes, named);
            yield return Counter("container_network_receive_packets_total", at, one.ReceivedPackets, named);
            yield return Counter("container_network_receive_errors_total", at, one.ReceiveErrors, named);
            yield return Counter("container_network_receive_packets_dropped_total", at, one.ReceiveDropped, named);
            yield return Counter("container_network_transmit_bytes_total", at, one.SentBytes, named);
            yield return Counter("container_network_transmit_packets_total", at, one.SentPackets, named);
            yield return Counter("container_network_transmit_errors_total", at, one.SendErrors, named);
            yield return Counter("container_network_transmit_packets_dropped_total", at, one.SendDropped, named);
        }
    }

    private static V1.MetricDescriptor Describe(string name, string help, params string[] labels)
    {
        var descriptor = new V1.MetricDescriptor { Name = name, Help = help };
        descriptor.LabelKeys.AddRange(Common);
        descriptor.LabelKeys.AddRange(labels);
        return descriptor;
    }

    private static V1.Metric Counter(string name, long at, ulong value, string[] labels) =>
        Of(V1.MetricType.Counter, name, at, value, labels);

    private static V1.Metric Gauge(string name, long at, ulong value, string[] labels) =>
        Of(V1.MetricType.Gauge, name, at, value, labels);

    private static V1.Metric Of(V1.MetricType type, string name, long at, ulong value, string[] labels)
    {
        var metric = new V1.Metric { Name = name, MetricType = type, Timestamp = at, Value = new V1.UInt64Value { Value = value } };
        metric.LabelValues.AddRange(labels);
        return metric;
    }
}
