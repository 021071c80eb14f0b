using System.Diagnostics;
using Runtime.Linux.Cgroups;
using Runtime.Ttrpc.Wire;

namespace Runtime.Shim.Metrics;

/// <summary>Task.Stats: reads a cgroup and writes io.containerd.cgroups.v1.Metrics or .v2.Metrics, without objects between.</summary>
internal sealed record MetricsResponse(CgroupHierarchy Cgroups, string Path) : IWireMessage<MetricsResponse>
{
    public static MetricsResponse Read(WireReader reader) => throw new UnreachableException();

    public void Write(WireWriter writer)
    {
        var any = writer.Begin(1);
        writer.String(1, Cgroups.IsV2 ? "io.containerd.cgroups.v2.Metrics" : "io.containerd.cgroups.v1.Metrics");
        var value = writer.Begin(2);
        if (Cgroups.IsV2)
            MetricsV2.Write(writer, Cgroups.DirectoryOf(Path, ""));
        else
            MetricsV1.Write(writer, Cgroups, Path);
        writer.End(value);
        writer.End(any);
    }
}
