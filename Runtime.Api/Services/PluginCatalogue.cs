using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Containerd.Services.Introspection.V1;
using Containerd.Types;

namespace Runtime.Api.Services;

/// <summary>
/// Our parts under the names that containerd's plugins have, because clients ask for them: <c>ctr plugins ls</c>, nerdctl
/// for snapshotters, buildkit for runtimes. What we do not have yet is not listed.
/// </summary>
public sealed class PluginCatalogue(ApiOptions options)
{
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

    public ImmutableArray<Plugin> All { get; } =
    [
        new Plugin
        {
            Type = "io.containerd.content.v1",
            Id = "content",
            Exports = { ["root"] = options.Directories.Content },
        },
        Snapshotter("overlayfs", options),
        Snapshotter("native", options),
        OnThisMachine("io.containerd.differ.v1", "walking"),
        OnThisMachine("io.containerd.runtime.v2", "task"),
        Plain("io.containerd.metadata.v1", "bolt"),
        Plain("io.containerd.event.v1", "exchange"),
        Plain("io.containerd.shim.v1", "manager"),
        Plain("io.containerd.cri.v1", "images"),
        Plain("io.containerd.cri.v1", "runtime"),
        OnThisMachine("io.containerd.grpc.v1", "cri"),
        .. Services.Select(service => Plain("io.containerd.grpc.v1", service)),
    ];

    /// <summary>The services that answer something else than Unimplemented.</summary>
    private static ImmutableArray<string> Services =>
        ["containers", "content", "events", "healthcheck", "images", "introspection", "leases", "namespaces", "tasks", "version"];

    private static Plugin Plain(string type, string id) => new() { Type = type, Id = id };

    private static Plugin OnThisMachine(string type, string id) => new() { Type = type, Id = id, Platforms = { Machine } };

    private static Plugin Snapshotter(string name, ApiOptions options) => new()
    {
        Type = "io.containerd.snapshotter.v1",
        Id = name,
        Platforms = { Machine },
        Exports = { ["root"] = options.Directories.Snapshotter(name) },
    };
}
