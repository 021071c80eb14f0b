using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Containerd.Services.Introspection.V1;
using Containerd.Types;
using Runtime.Actors;
using Runtime.Actors.Snapshots;
using Runtime.Api.Edge;

namespace Runtime.Api.Services;

/// <summary>
/// Our parts under the names that containerd's plugins have, because clients ask for them: <c>ctr plugins ls</c>, nerdctl
/// for snapshotters, buildkit for runtimes. What we do not have is not listed.
/// </summary>
public sealed class PluginCatalogue(RuntimeDomain domain, ApiOptions options, ServedServices served)
{
    /// <summary>google.rpc.Code UNIMPLEMENTED: containerd's word for a plugin that cannot be used on this machine.</summary>
    private const int Unimplemented = 12;

    private const string Grpc = "io.containerd.grpc.v1";

    private static readonly Platform Machine = new()
    {
        Os = "linux",
        Architecture = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => "amd64",
            Architecture.Arm64 => "arm64",
            var other => other.ToString().ToLowerInvariant(),
        },
    };

    /// <summary>The gRPC services of containerd, and what its plugins for them are called.</summary>
    private static readonly ImmutableSortedDictionary<string, string> ServicePlugins = new Dictionary<string, string>
    {
        ["containerd.services.containers.v1.Containers"] = "containers",
        ["containerd.services.content.v1.Content"] = "content",
        ["containerd.services.diff.v1.Diff"] = "diff",
        ["containerd.services.events.v1.Events"] = "events",
        ["containerd.services.images.v1.Images"] = "images",
        ["containerd.services.introspection.v1.Introspection"] = "introspection",
        ["containerd.services.leases.v1.Leases"] = "leases",
        ["containerd.services.mounts.v1.Mounts"] = "mounts",
        ["containerd.services.namespaces.v1.Namespaces"] = "namespaces",
        ["containerd.services.sandbox.v1.Controller"] = "sandbox-controllers",
        ["containerd.services.sandbox.v1.Store"] = "sandboxes",
        ["containerd.services.snapshots.v1.Snapshots"] = "snapshots",
        ["containerd.services.streaming.v1.Streaming"] = "streaming",
        ["containerd.services.tasks.v1.Tasks"] = "tasks",
        ["containerd.services.transfer.v1.Transfer"] = "transfer",
        ["containerd.services.version.v1.Version"] = "version",
        ["grpc.health.v1.Health"] = "healthcheck",
    }.ToImmutableSortedDictionary(StringComparer.Ordinal);

    private readonly Lock _lock = new();
    private ImmutableArray<Plugin> _all;

    public ImmutableArray<Plugin> All
    {
        get
        {
            lock (_lock) return _all.IsDefault ? _all = [.. Parts().OrderBy(part => part.Type, StringComparer.Ordinal)] : _all;
        }
    }

    private IEnumerable<Plugin> Parts() =>
    [
        Plain("io.containerd.content.v1", "content", options.Directories.Content),
        Snapshotter(OverlaySnapshots.DriverName),
        Snapshotter(NativeSnapshots.DriverName),
        OnThisMachine("io.containerd.differ.v1", "walking"),
        OnThisMachine("io.containerd.runtime.v2", "task"),
        Plain("io.containerd.metadata.v1", "bolt", options.Directories.Root),
        Plain("io.containerd.gc.v1", "scheduler"),
        Plain("io.containerd.event.v1", "exchange"),
        Plain("io.containerd.shim.v1", "manager"),
        Plain("io.containerd.cri.v1", "images"),
        Plain("io.containerd.cri.v1", "runtime"),
        OnThisMachine(Grpc, "cri"),
        .. ServicePlugins.Where(service => served.Names.Contains(service.Key)).Select(service => Plain(Grpc, service.Value)),
        .. Behind("containerd.services.leases.v1.Leases", Plain("io.containerd.lease.v1", "manager")),
        .. Behind("containerd.services.streaming.v1.Streaming", Plain("io.containerd.streaming.v1", "manager")),
        .. Behind("containerd.services.transfer.v1.Transfer", OnThisMachine("io.containerd.transfer.v1", "local")),
        .. Behind("containerd.services.sandbox.v1.Store", Plain("io.containerd.sandbox.store.v1", "local")),
        .. Behind("containerd.services.sandbox.v1.Controller", Plain("io.containerd.podsandbox.controller.v1", SandboxMessages.PodSandboxer)),
    ];

    private IEnumerable<Plugin> Behind(string service, Plugin plugin) => served.Names.Contains(service) ? [plugin] : [];

    private static Plugin Plain(string type, string id, string root = "")
    {
        var plugin = new Plugin { Type = type, Id = id };
        if (root.Length > 0) plugin.Exports["root"] = root;
        return plugin;
    }

    private static Plugin OnThisMachine(string type, string id) => new() { Type = type, Id = id, Platforms = { Machine } };

    private Plugin Snapshotter(string name)
    {
        var plugin = Plain("io.containerd.snapshotter.v1", name, options.Directories.Snapshotter(name));
        plugin.Platforms.Add(Machine);
        if (!domain.Snapshotters.TryGet(name, out _))
            plugin.InitErr = new() { Code = Unimplemented, Message = $"skip plugin: {name} is not in use on this node" };
        return plugin;
    }
}
