using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Runtime.Actors.Sandboxes;

namespace Runtime.Actors.Network;

/// <summary>Writes <see cref="CniCapabilities"/> in the forms that plugins know them in.</summary>
internal static class CniCapabilityArgs
{
    /// <summary>Kubernetes' own: a burst that never limits, because only a rate was asked for.</summary>
    private const uint BurstUnlimited = uint.MaxValue;

    public static JsonObject Of(CniCapabilities wanted)
    {
        var args = new JsonObject();
        var ports = wanted.PortMappings.Where(port => port.HostPort > 0).Select(Port).ToArray();
        if (ports.Length > 0) args["portMappings"] = new JsonArray(ports);
        if (wanted.Bandwidth is { } bandwidth) args["bandwidth"] = Bandwidth(bandwidth);
        if (wanted.Dns is { } dns)
            args["dns"] = new JsonObject
            {
                ["servers"] = List(dns.Servers),
                ["searches"] = List(dns.Searches),
                ["options"] = List(dns.Options),
            };
        if (!wanted.Ips.IsEmpty) args["ips"] = List(wanted.Ips);
        if (wanted.Mac.Length > 0) args["mac"] = wanted.Mac;
        if (!wanted.Aliases.IsEmpty) args["aliases"] = List(wanted.Aliases);
        if (wanted.CgroupPath.Length > 0) args["cgroupPath"] = wanted.CgroupPath;
        if (!wanted.PodAnnotations.IsEmpty)
            args["io.kubernetes.cri.pod-annotations"] = new JsonObject(
                wanted.PodAnnotations.Select(one => KeyValuePair.Create(one.Key, (JsonNode?)one.Value)));
        return args;
    }

    private static JsonNode Port(PortMapping port)
    {
        var json = new JsonObject
        {
            ["hostPort"] = port.HostPort,
            ["containerPort"] = port.ContainerPort,
            ["protocol"] = port.Protocol switch
            {
                PortProtocol.Udp => "udp",
                PortProtocol.Sctp => "sctp",
                _ => "tcp",
            },
        };
        if (port.HostIp.Length > 0) json["hostIP"] = port.HostIp;
        return json;
    }

    private static JsonObject Bandwidth(CniBandwidth bandwidth)
    {
        var json = new JsonObject();
        if (bandwidth.IngressRate > 0)
        {
            json["ingressRate"] = bandwidth.IngressRate;
            json["ingressBurst"] = BurstUnlimited;
        }
        if (bandwidth.EgressRate > 0)
        {
            json["egressRate"] = bandwidth.EgressRate;
            json["egressBurst"] = BurstUnlimited;
        }
        return json;
    }

    private static JsonArray List(ImmutableArray<string> items) => new([.. items.Select(item => (JsonNode)item)]);
}
