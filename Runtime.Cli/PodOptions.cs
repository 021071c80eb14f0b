using System.CommandLine;
using System.Security.Cryptography;
using Runtime.Cri.V1;

namespace Runtime.Cli;

/// <summary>The options of a new pod, for <c>pods run</c> and <c>run</c>.</summary>
internal sealed class PodOptions
{
    private readonly Option<string?> _config = new("--config")
    {
        Description = "JSON file with a CRI PodSandboxConfig, as crictl runp takes it; the other options override it.",
    };

    private readonly Option<string?> _name = new("--name") { Description = "Name of the pod; made up when not given." };

    private readonly Option<string?> _podNamespace = new("--pod-namespace") { Description = "Kubernetes namespace of the pod (default: default)." };

    private readonly Option<string?> _hostname = new("--hostname");

    private readonly Option<bool> _hostNetwork = new("--host-network") { Description = "Use the host's network." };

    private readonly Option<bool> _sharePid = new("--share-pid") { Description = "One pid namespace for all containers of the pod." };

    private readonly Option<string[]> _publish = new("--publish", "-p") { Description = "HOST:CONTAINER[/udp] port mapping." };

    private readonly Option<string[]> _labels = new("--label", "-l") { Description = "KEY=VALUE" };

    private readonly Option<string?> _logDirectory = new("--log-directory") { Description = "Where logs go (default: /var/log/actord/POD)." };

    private readonly Option<string?> _cgroupParent = new("--cgroup-parent") { Description = "cgroup that the pod is put into." };

    public Option<string?> Handler { get; } = new("--runtime") { Description = "Runtime handler; the default one when not given." };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[]
            { _config, _name, _podNamespace, _hostname, _hostNetwork, _sharePid, _publish, _labels, _logDirectory, _cgroupParent, Handler })
            command.Add(option);
    }

    public PodSandboxConfig Read(ParseResult parsed)
    {
        var config = parsed.GetValue(_config) is { } file
            ? PodSandboxConfig.Parser.ParseJson(File.ReadAllText(file))
            : new PodSandboxConfig();
        config.Metadata ??= new PodSandboxMetadata();
        var metadata = config.Metadata;
        metadata.Name = parsed.GetValue(_name) ?? (metadata.Name.Length > 0 ? metadata.Name : $"pod-{RandomHex(4)}");
        metadata.Namespace = parsed.GetValue(_podNamespace) ?? (metadata.Namespace.Length > 0 ? metadata.Namespace : "default");
        if (metadata.Uid.Length == 0) metadata.Uid = RandomHex(16);
        config.Hostname = parsed.GetValue(_hostname) ?? (config.Hostname.Length > 0 ? config.Hostname : metadata.Name);
        config.LogDirectory = parsed.GetValue(_logDirectory)
            ?? (config.LogDirectory.Length > 0 ? config.LogDirectory : $"/var/log/actord/{metadata.Name}_{metadata.Uid}");
        foreach (var label in parsed.GetValue(_labels) ?? []) config.Labels[KeyOf(label, out var value)] = value;
        foreach (var mapping in parsed.GetValue(_publish) ?? []) config.PortMappings.Add(ParsePort(mapping));
        config.Linux ??= new LinuxPodSandboxConfig();
        if (parsed.GetValue(_cgroupParent) is { } parent) config.Linux.CgroupParent = parent;
        config.Linux.SecurityContext ??= new LinuxSandboxSecurityContext();
        // As the kubelet sends it: own pid namespaces unless they are shared by wish.
        var options = config.Linux.SecurityContext.NamespaceOptions ??= new NamespaceOption { Pid = NamespaceMode.Container };
        if (parsed.GetValue(_sharePid)) options.Pid = NamespaceMode.Pod;
        if (parsed.GetValue(_hostNetwork)) options.Network = NamespaceMode.Node;
        return config;
    }

    public static string RandomHex(int bytes) => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(bytes));

    public static string KeyOf(string pair, out string value)
    {
        var at = pair.IndexOf('=', StringComparison.Ordinal);
        if (at <= 0) throw new CommandException($"\"{pair}\" is not KEY=VALUE");
        value = pair[(at + 1)..];
        return pair[..at];
    }

    private static PortMapping ParsePort(string text)
    {
        var parts = text.Split('/');
        var ports = parts[0].Split(':');
        if (ports.Length != 2 || !int.TryParse(ports[0], out var host) || !int.TryParse(ports[1], out var container))
            throw new CommandException($"\"{text}\" is not HOST:CONTAINER[/udp]");
        return new PortMapping
        {
            HostPort = host,
            ContainerPort = container,
            Protocol = parts is [_, "udp"] ? Protocol.Udp : parts is [_, "sctp"] ? Protocol.Sctp : Protocol.Tcp,
        };
    }
}
