using System.Buffers;
using System.Collections.Immutable;
using System.Net;
using Runtime.Actors.Network;
using Runtime.Faults;
using Runtime.Linux.Namespaces;

namespace Runtime.Actors.Sandboxes;

/// <summary>What a sandbox must look like. Checked before anything is stored or made.</summary>
public static class SandboxRules
{
    /// <summary>HOST_NAME_MAX, uname(2).</summary>
    private const int HostnameMax = 64;

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    /// <summary>Null when it can be run.</summary>
    public static RuntimeFault? Check(string id, SandboxConfig config, SandboxOptions options)
    {
        try
        {
            // The id becomes part of paths.
            if (id.Length != 64 || id.AsSpan().ContainsAnyExcept(HexDigits)) throw Invalid("id", $"id \"{id}\" must be 64 hex digits");
            CheckNames(config);
            CheckNamespaces(config.Security);
            SelinuxLevel.Check(config.Security.Selinux?.Level ?? "");
            CheckCgroup(config, options);
            CheckSysctls(config);
            CheckNetwork(config);
            return null;
        }
        catch (FaultException refused)
        {
            return refused.Fault;
        }
    }

    private static void CheckNames(SandboxConfig config)
    {
        if (config.Name.Length == 0 || config.PodNamespace.Length == 0)
            throw Invalid("name", "a pod needs a name and a namespace in its metadata");
        // They become CNI_ARGS, NAME=VALUE;NAME=VALUE: such a name could pass itself off as another pod's.
        string[] names = [config.Name, config.PodNamespace, config.Uid];
        if (names.FirstOrDefault(name => name.AsSpan().ContainsAny('=', ';') || HasControl(name)) is { } unfit)
            throw Invalid("name", $"\"{unfit}\" in a pod's metadata must not hold =, ; or control characters");
        if (config.Hostname.Length > HostnameMax || HasControl(config.Hostname))
            throw Invalid("hostname", $"hostname \"{config.Hostname}\" must have at most {HostnameMax} printable characters");
        if (config.Dns is { } dns && dns.Servers.Concat(dns.Searches).Concat(dns.Options).FirstOrDefault(HasControl) is { } line)
            throw Invalid("dns", $"\"{line}\" of the DNS configuration does not fit into a line of resolv.conf");
    }

    private static void CheckNamespaces(SecurityOptions security)
    {
        if (security.Network is not (NamespaceMode.Pod or NamespaceMode.Node)
            || security.Ipc is not (NamespaceMode.Pod or NamespaceMode.Node))
            throw Invalid("namespaces", "network and ipc of a pod are its own (POD) or the node's (NODE)");
        if (security.Pid == NamespaceMode.Target)
            throw Invalid("namespaces", "only a container can have another one as the target of its pid namespace");
        if (security.User is NamespaceMode.Container or NamespaceMode.Target)
            throw Invalid("namespaces", "the user namespace of a pod is its own (POD) or the node's (NODE)");
        if (security.User == NamespaceMode.Pod)
        {
            CheckMapping(security.UidMappings, "uid");
            CheckMapping(security.GidMappings, "gid");
        }
        else if (!security.UidMappings.IsEmpty || !security.GidMappings.IsEmpty)
        {
            throw Invalid("namespaces", "mappings of ids need a user namespace of the pod's own (POD)");
        }
    }

    // Kubernetes gives a pod one range of ids, from 0 in its containers: the kernel could do more.
    private static void CheckMapping(ImmutableArray<IdMapping> mappings, string what)
    {
        if (mappings is not [var only])
            throw Invalid("namespaces", $"a user namespace needs exactly one {what} mapping, not {mappings.Length}");
        if (only.ContainerId != 0)
            throw Invalid("namespaces", $"the {what} mapping must begin with id 0 in the containers, not {only.ContainerId}");
        if (only.Length == 0 || (ulong)only.HostId + only.Length > uint.MaxValue)
            throw Invalid("namespaces", $"the {what} mapping of {only.Length} ids from {only.HostId} is empty, or goes beyond the last id");
    }

    private static void CheckCgroup(SandboxConfig config, SandboxOptions options)
    {
        var parent = config.CgroupParent;
        if (options.Handlers.Resolve(config.RuntimeHandler).Options.SystemdCgroup || parent.Contains(".slice:", StringComparison.Ordinal)
            || (parent.EndsWith(".slice", StringComparison.Ordinal) && !parent.StartsWith('/')))
            throw new FaultException(FaultKind.Unimplemented, "sandbox.systemd-cgroup",
                $"cgroup parent \"{parent}\": this release has no support for the systemd cgroup driver; use cgroupfs.");
        if (parent.Length > 0 && (!parent.StartsWith('/') || parent.Split('/').Any(part => part is "." or "..") || HasControl(parent)))
            throw Invalid("cgroup-parent", $"cgroup parent \"{parent}\" must be an absolute path");
    }

    private static void CheckSysctls(SandboxConfig config)
    {
        foreach (var (name, _) in config.Sysctls)
        {
            var own = Sysctl.NamespaceOf(name) switch
            {
                NamespaceKind.Network => config.Security.Network == NamespaceMode.Pod,
                NamespaceKind.Ipc => config.Security.Ipc == NamespaceMode.Pod,
                _ => false,
            };
            if (!own) throw Invalid("sysctl", $"sysctl {name} would change the node: the pod has no namespace of its own for it");
        }
    }

    private static void CheckNetwork(SandboxConfig config)
    {
        foreach (var port in config.PortMappings)
        {
            if (port.HostPort is < 0 or > 65535 || port.ContainerPort is < 0 or > 65535)
                throw Invalid("port", $"port mapping {port.HostPort}:{port.ContainerPort} is outside of 0 to 65535");
            if (port is { HostPort: > 0, ContainerPort: 0 })
                throw Invalid("port", $"port {port.HostPort} of the host is mapped to no port of the pod");
            if (port.HostIp.Length > 0 && !IPAddress.TryParse(port.HostIp, out _))
                throw Invalid("port", $"host address \"{port.HostIp}\" of a port mapping is no IP address");
        }
        BandwidthAnnotations.Parse(config.Annotations);
    }

    private static bool HasControl(string text) => text.Any(char.IsControl);

    private static FaultException Invalid(string what, string message) =>
        new(FaultKind.InvalidArgument, $"sandbox.invalid-{what}", $"The sandbox cannot be run: {message}.");
}
