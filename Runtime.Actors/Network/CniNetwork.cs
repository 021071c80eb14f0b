using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Akka.Event;
using Runtime.Actors.Ports;
using Runtime.Faults;

namespace Runtime.Actors.Network;

/// <summary>Runs chains of plugin binaries.</summary>
public sealed class CniNetwork : ICniNetwork
{
    private readonly CniOptions _options;
    private readonly CniConfigLoader _loader;
    private readonly ILoggingAdapter _log;
    private readonly CniPlugins _plugins;
    private readonly CniCache _cache;

    public CniNetwork(CniOptions options, CniConfigLoader loader, ILoggingAdapter log)
    {
        _options = options;
        _loader = loader;
        _log = log;
        _plugins = new CniPlugins(options.BinDirs);
        _cache = new CniCache(options.CacheDir);
    }

    public async Task<CniAttachment> AddAsync(CniAttach attach, CancellationToken cancellation)
    {
        var networks = Networks(attach.ConfDir);
        // An ADD that a crash has interrupted: the specification forbids a second one before its DEL.
        await DelAsync(
            new CniDetach(attach.ContainerId, attach.NetnsPath, attach.Args, Attached: false, attach.ConfDir), cancellation);
        var capabilities = CniCapabilityArgs.Of(attach.Capabilities);
        var results = new List<JsonObject>();
        foreach (var (index, network) in networks.Index())
        {
            // Whoever comes after a cancelled call must not find an entry, or a plugin, that was not there when it looked.
            cancellation.ThrowIfCancellationRequested();
            var entry = new CniCacheEntry(
                attach.ContainerId, network.Name, $"eth{index}", network.Json, attach.NetnsPath, attach.Args, capabilities, null);
            _cache.Write(entry);
            var result = await AddAsync(network, entry, cancellation);
            _cache.Write(entry with { Result = result });
            results.Add(result);
        }
        var addresses = CniResult.Prefer(CniResult.Addresses(results[0], networks[0].Name), _options.IpPreference);
        if (addresses.IsEmpty)
            throw new FaultException(FaultKind.Internal, "cni.no-address",
                $"CNI network {networks[0].Name} gave {attach.ContainerId} no address.");
        return new CniAttachment(addresses, results[0].ToJsonString());
    }

    public async Task CheckAsync(string containerId, string netnsPath, CancellationToken cancellation)
    {
        foreach (var entry in _cache.Find(containerId))
        {
            var network = CniNetworkConfig.Parse(entry.Config, $"saved for {containerId}");
            if (!network.HasCheck || network.DisableCheck) continue;
            foreach (var plugin in network.Plugins)
                await RunAsync("CHECK", network, plugin, entry, netnsPath, entry.Result, _options.AddTimeout, cancellation);
        }
    }

    public async Task DelAsync(CniDetach detach, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var entries = _cache.Find(detach.ContainerId);
        if (entries.IsEmpty && detach.Attached) entries = Reconstructed(detach);
        // An ADD that did not end: its plugins may still run, as orphans of a daemon that was killed.
        if (entries.Any(entry => entry.Result is null)) await EndPluginsAsync(detach.ContainerId, cancellation);
        FaultException? first = null;
        foreach (var entry in entries)
        {
            var failed = await DelAsync(entry, detach.NetnsPath, cancellation);
            if (failed is null) _cache.Delete(entry);
            first ??= failed;
        }
        if (first is not null) throw first;
    }

    private Task EndPluginsAsync(string containerId, CancellationToken cancellation)
    {
        var mark = $"CNI_CONTAINERID={containerId}";
        return StrayProcesses.EndAsync(
            pid => StrayProcesses.Environment(pid).Contains(mark), _options.CancelGrace, TimeProvider.System, cancellation);
    }

    private ImmutableArray<CniNetworkConfig> Networks(string directory)
    {
        if (directory.Length > 0) return CniConfigFiles.Read(directory, _options.MaxConfNum);
        var current = _loader.Refresh();
        return current.Fault is { } fault ? throw fault.ToException() : current.Networks;
    }

    /// <summary>Who lost the cache deletes with the present configuration: plugins take a DEL of nothing as done.</summary>
    private ImmutableArray<CniCacheEntry> Reconstructed(CniDetach detach) =>
        [.. Networks(detach.ConfDir).Select((network, index) => new CniCacheEntry(
            detach.ContainerId, network.Name, $"eth{index}", network.Json, detach.NetnsPath, detach.Args, [], null))];

    private async Task<JsonObject> AddAsync(CniNetworkConfig network, CniCacheEntry entry, CancellationToken cancellation)
    {
        JsonObject? previous = null;
        foreach (var plugin in network.Plugins)
        {
            var output = await RunAsync(
                "ADD", network, plugin, entry, entry.NetnsPath, previous, _options.AddTimeout, cancellation);
            previous = CniResult.Parse(output, plugin.Type);
        }
        return previous!;
    }

    /// <summary>Asks every plugin, last to first; answers the first failure.</summary>
    private async Task<FaultException?> DelAsync(CniCacheEntry entry, string netnsPath, CancellationToken cancellation)
    {
        FaultException? first = null;
        var network = CniNetworkConfig.Parse(entry.Config, $"saved for {entry.ContainerId}");
        foreach (var plugin in network.Plugins.Reverse())
        {
            try
            {
                var previous = network.HasCheck ? entry.Result : null;
                await RunAsync("DEL", network, plugin, entry, netnsPath, previous, _options.DelTimeout, cancellation);
            }
            catch (FaultException failed)
            {
                first ??= failed;
            }
        }
        return first;
    }

    private Task<byte[]> RunAsync(
        string verb, CniNetworkConfig network, CniPluginConfig plugin, CniCacheEntry entry, string netnsPath,
        JsonObject? previous, TimeSpan limit, CancellationToken cancellation)
    {
        var args = string.Join(';', entry.Args.Select(one => $"{one.Key}={one.Value}"));
        var run = new CniPluginRun(
            _plugins.Find(plugin.Type), plugin.Type, network.Name, verb, entry.ContainerId, netnsPath, entry.Interface, args,
            _plugins.SearchPath, Input(network, plugin, entry.Capabilities, previous), limit,
            _options.CancelGrace);
        return run.RunAsync(_log, cancellation);
    }

    /// <summary>The plugin's own object, with what the specification has the runtime add to it.</summary>
    private static string Input(CniNetworkConfig network, CniPluginConfig plugin, JsonObject capabilities, JsonObject? previous)
    {
        var input = JsonNode.Parse(plugin.Json)!.AsObject();
        input["name"] = network.Name;
        input["cniVersion"] = network.CniVersion;
        var declared = capabilities.Where(one => plugin.Capabilities.Contains(one.Key)).ToArray();
        if (declared.Length > 0)
            input["runtimeConfig"] = new JsonObject(declared.Select(one => KeyValuePair.Create(one.Key, one.Value?.DeepClone())));
        if (previous is not null) input["prevResult"] = previous.DeepClone();
        return input.ToJsonString();
    }
}
