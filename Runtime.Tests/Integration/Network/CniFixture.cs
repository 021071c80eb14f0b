using Akka.Event;
using Runtime.Actors.Network;
using Runtime.Linux.Namespaces;
using Runtime.Tests.Support;

namespace Runtime.Tests.Integration.Network;

/// <summary>
/// The machine's plugins in a network namespace of the test's own that stands for the host's: bridge, addresses and
/// iptables rules vanish with it.
/// </summary>
public sealed class CniFixture : IDisposable
{
    private const string Plugins = "/usr/lib/cni";

    private readonly TempDirectory _directory = new();
    private readonly List<string> _pods = [];

    public CniFixture(CniIpPreference preference = CniIpPreference.Ipv4, TimeSpan? limit = null, TimeSpan? grace = null)
    {
        Host = _directory["host"];
        NamespacePin.Create(NamespaceKind.Network, Host, Loopback.Up);
        Options = new CniOptions
        {
            BinDirs = [_directory["bin"]],
            ConfDir = _directory["conf"],
            CacheDir = _directory["cache"],
            IpPreference = preference,
            AddTimeout = limit ?? TimeSpan.FromSeconds(30),
            DelTimeout = limit ?? TimeSpan.FromSeconds(30),
            CancelGrace = grace ?? TimeSpan.FromSeconds(10),
        };
        Directory.CreateDirectory(_directory["bin"]);
        Directory.CreateDirectory(Options.ConfDir);
        foreach (var name in new[] { "bridge", "host-local", "portmap", "loopback", "bandwidth" }) UsePlugin(name);
        Loader = new CniConfigLoader(Options, TimeProvider.System, NoLogger.Instance);
        Network = new CniNetwork(Options, Loader, NoLogger.Instance);
    }

    public string Host { get; }

    public CniOptions Options { get; }

    public CniConfigLoader Loader { get; }

    public CniNetwork Network { get; }

    public string this[string name] => _directory[name];

    /// <summary>Addresses that host-local has given out.</summary>
    public string[] Leases => Directory.Exists(_directory["leases"])
        ? [.. Directory.EnumerateFiles(_directory["leases"], "*", SearchOption.AllDirectories)
            .Select(Path.GetFileName).Where(name => System.Net.IPAddress.TryParse(name, out _)).Select(name => name!)]
        : [];

    public string[] CacheFiles => Directory.Exists(Path.Combine(Options.CacheDir, "results"))
        ? [.. Directory.EnumerateFiles(Path.Combine(Options.CacheDir, "results")).Select(file => Path.GetFileName(file)!)]
        : [];

    /// <summary>Puts the machine's plugin there, run in the namespace that stands for the host's.</summary>
    public void UsePlugin(string name) => Script(name, $"exec nsenter --net={Host} {Plugins}/{name}");

    public void Script(string name, string body)
    {
        var path = Path.Combine(_directory["bin"], name);
        File.WriteAllText(path, $"#!/bin/sh\n{body}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public void Configure(string file, string json)
    {
        File.WriteAllText(Path.Combine(Options.ConfDir, file), json);
        Loader.Refresh();
    }

    /// <summary>A bridge with addresses, and what else is to be in the chain.</summary>
    public void ConfigureBridge(string more = "", string version = "1.0.0", string ranges = """[{"subnet": "10.123.0.0/24"}]""") =>
        Configure("10-pods.conflist", $$"""
            { "cniVersion": "{{version}}", "name": "pods", "plugins": [ {{Bridge(ranges)}} {{(more.Length > 0 ? $", {more}" : "")}} ] }
            """);

    public string Bridge(string ranges = """[{"subnet": "10.123.0.0/24"}]""") => $$"""
        {"type": "bridge", "bridge": "actordtest0", "isGateway": true, "ipMasq": false,
         "ipam": {"type": "host-local", "dataDir": "{{_directory["leases"]}}", "ranges": [ {{ranges}} ] } }
        """;

    /// <summary>A pod's network namespace.</summary>
    public string Pod(string name = "pod")
    {
        var path = _directory[name];
        NamespacePin.Create(NamespaceKind.Network, path, Loopback.Up);
        _pods.Add(path);
        return path;
    }

    public static CniAttach Attach(string id, string netns, CniCapabilities? capabilities = null) => new(
        id, netns, [new("IgnoreUnknown", "1"), new("K8S_POD_NAME", "web")], capabilities ?? CniCapabilities.None);

    public static CniDetach Detach(string id, string netns, bool attached = true) => new(id, netns, [], attached);

    public static Task<string> InAsync(string netns, params string[] command) =>
        Tool.RunAsync("nsenter", [$"--net={netns}", .. command]);

    public void Dispose()
    {
        Loader.Dispose();
        foreach (var pod in _pods) NamespacePin.Remove(pod);
        NamespacePin.Remove(Host);
        _directory.Dispose();
    }
}
