using System.Collections.Immutable;
using Google.Protobuf.Collections;
using Runtime.Actors.Sandboxes;

namespace Runtime.Cri.Mapping;

/// <summary>Sandboxes, from CRI and back.</summary>
internal static class SandboxMapping
{
    /// <summary>The kernel's limit of a host name (HOST_NAME_MAX).</summary>
    private const int HostnameLengthMax = 64;

    /// <exception cref="Runtime.Faults.FaultException">InvalidArgument, naming the field.</exception>
    public static SandboxConfig FromWire(V1.PodSandboxConfig? wire, string runtimeHandler)
    {
        var config = RequestCheck.Present(wire, "config");
        var metadata = RequestCheck.Present(config.Metadata, "config.metadata");
        return new SandboxConfig
        {
            Name = RequestCheck.NotEmpty(metadata.Name, "config.metadata.name"),
            Uid = RequestCheck.NotEmpty(metadata.Uid, "config.metadata.uid"),
            PodNamespace = RequestCheck.NotEmpty(metadata.Namespace, "config.metadata.namespace"),
            Attempt = metadata.Attempt,
            Hostname = HostnameOf(config.Hostname),
            LogDirectory = config.LogDirectory.Length == 0
                ? "" : RequestCheck.AbsolutePath(config.LogDirectory, "config.log_directory"),
            Dns = DnsOf(config.DnsConfig),
            PortMappings = [.. config.PortMappings.Select(FromWire)],
            Labels = config.Labels.ToImmutableSortedDictionary(),
            Annotations = config.Annotations.ToImmutableSortedDictionary(),
            CgroupParent = CgroupParentOf(config.Linux?.CgroupParent ?? ""),
            Sysctls = SysctlsOf(config.Linux?.Sysctls),
            Overhead = ContainerMapping.FromWire(config.Linux?.Overhead, "config.linux.overhead"),
            Resources = ContainerMapping.FromWire(config.Linux?.Resources),
            Security = SecurityMapping.FromWire(config.Linux?.SecurityContext),
            RuntimeHandler = RequestCheck.OneLine(runtimeHandler, "runtime_handler"),
        };
    }

    public static bool IsListed(SandboxView view) => view.Phase is SandboxPhase.Ready or SandboxPhase.NotReady;

    public static V1.PodSandboxState StateOf(SandboxView view) =>
        view.Phase == SandboxPhase.Ready ? V1.PodSandboxState.SandboxReady : V1.PodSandboxState.SandboxNotready;

    public static V1.PodSandbox ToItem(SandboxView view)
    {
        var item = new V1.PodSandbox
        {
            Id = view.Id,
            Metadata = MetadataOf(view.Config),
            State = StateOf(view),
            CreatedAt = WireTime.Nanoseconds(view.CreatedAt),
            RuntimeHandler = view.Config.RuntimeHandler,
        };
        item.Labels.Add(view.Config.Labels);
        item.Annotations.Add(view.Config.Annotations);
        return item;
    }

    public static V1.PodSandboxStatus ToStatus(SandboxView view)
    {
        var status = new V1.PodSandboxStatus
        {
            Id = view.Id,
            Metadata = MetadataOf(view.Config),
            State = StateOf(view),
            CreatedAt = WireTime.Nanoseconds(view.CreatedAt),
            Network = new V1.PodSandboxNetworkStatus { Ip = view.Ips.FirstOrDefault("") },
            Linux = new V1.LinuxPodSandboxStatus
            {
                Namespaces = new V1.Namespace { Options = SecurityMapping.NamespacesToWire(view.Config.Security) },
            },
            RuntimeHandler = view.Config.RuntimeHandler,
        };
        status.Network.AdditionalIps.AddRange(view.Ips.Skip(1).Select(ip => new V1.PodIP { Ip = ip }));
        status.Labels.Add(view.Config.Labels);
        status.Annotations.Add(view.Config.Annotations);
        return status;
    }

    public static V1.PodSandboxMetadata MetadataOf(SandboxConfig config) => new()
    {
        Name = config.Name,
        Uid = config.Uid,
        Namespace = config.PodNamespace,
        Attempt = config.Attempt,
    };

    private static string HostnameOf(string hostname)
    {
        RequestCheck.OneLine(hostname, "config.hostname");
        return hostname.Length <= HostnameLengthMax && !hostname.Contains('/', StringComparison.Ordinal)
            ? hostname
            : throw RequestCheck.Invalid("config.hostname", hostname, $"must be a name of at most {HostnameLengthMax} characters");
    }

    private static DnsConfig? DnsOf(V1.DNSConfig? dns) => dns is null ? null : new(
        LinesOf(dns.Servers, "config.dns_config.servers"),
        LinesOf(dns.Searches, "config.dns_config.searches"),
        LinesOf(dns.Options, "config.dns_config.options"));

    private static ImmutableArray<string> LinesOf(RepeatedField<string> lines, string field) =>
        [.. lines.Select(line => RequestCheck.OneLine(line, field))];

    private static PortMapping FromWire(V1.PortMapping mapping) => new(
        mapping.Protocol switch
        {
            V1.Protocol.Tcp => PortProtocol.Tcp,
            V1.Protocol.Udp => PortProtocol.Udp,
            V1.Protocol.Sctp => PortProtocol.Sctp,
            _ => throw RequestCheck.UnknownEnum(mapping.Protocol, "config.port_mappings.protocol"),
        },
        RequestCheck.InRange(mapping.ContainerPort, 0, 65535, "config.port_mappings.container_port"),
        RequestCheck.InRange(mapping.HostPort, 0, 65535, "config.port_mappings.host_port"),
        HostIpOf(mapping.HostIp));

    private static string HostIpOf(string ip) =>
        ip.Length == 0 || System.Net.IPAddress.TryParse(ip, out _)
            ? ip : throw RequestCheck.Invalid("config.port_mappings.host_ip", ip, "is not an IP address");

    // With the systemd driver the parent may be a slice (kubepods.slice) instead of a path.
    private static string CgroupParentOf(string parent)
    {
        if (parent.Length == 0 || parent.StartsWith('/')) return RequestCheck.Contained(parent, "config.linux.cgroup_parent");
        return parent.EndsWith(".slice", StringComparison.Ordinal) && !parent.Contains('/', StringComparison.Ordinal)
            ? RequestCheck.OneLine(parent, "config.linux.cgroup_parent")
            : throw RequestCheck.Invalid("config.linux.cgroup_parent", parent, "must be an absolute path or a slice");
    }

    private static ImmutableSortedDictionary<string, string> SysctlsOf(MapField<string, string>? sysctls)
    {
        const string Field = "config.linux.sysctls";
        if (sysctls is null) return ImmutableSortedDictionary<string, string>.Empty;
        foreach (var (key, value) in sysctls)
        {
            RequestCheck.Contained(RequestCheck.NotEmpty(key, Field), Field);
            if (key.Contains("..", StringComparison.Ordinal)) throw RequestCheck.Invalid(Field, key, "must not contain ..");
            RequestCheck.NoNul(value, Field);
        }
        return sysctls.ToImmutableSortedDictionary();
    }
}
