using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Runtime.Actors.Network;

/// <summary>What ADD was done with, and gave: one file per container and interface.</summary>
/// <remarks>
/// The directory <c>results</c>, names and content are libcni's, so that its tools (cnitool) can read them:
/// <code>
/// results/NETWORK-CONTAINER-INTERFACE
/// { "kind": "cniCacheV1", "containerId": "...", "config": BASE64, "ifName": "eth0", "networkName": "...",
///   "netns": "...", "cniArgs": [["K8S_POD_NAME", "..."]], "capabilityArgs": {...}, "result": {...} }
/// </code>
/// The file is written before the first plugin runs, then without <c>result</c>: what a crash interrupts is deleted with
/// the configuration that it was begun with.
/// </remarks>
internal sealed class CniCache(string directory)
{
    private const string Kind = "cniCacheV1";

    private readonly string _results = Path.Combine(directory, "results");

    public void Write(CniCacheEntry entry)
    {
        Directory.CreateDirectory(_results, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var json = new JsonObject
        {
            ["kind"] = Kind,
            ["containerId"] = entry.ContainerId,
            ["config"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(entry.Config)),
            ["ifName"] = entry.Interface,
            ["networkName"] = entry.Network,
            ["netns"] = entry.NetnsPath,
            ["cniArgs"] = new JsonArray([.. entry.Args.Select(one => (JsonNode)new JsonArray(one.Key, one.Value))]),
            ["capabilityArgs"] = entry.Capabilities.DeepClone(),
        };
        if (entry.Result is not null) json["result"] = entry.Result.DeepClone();
        var path = PathOf(entry);
        File.WriteAllText($"{path}.tmp", json.ToJsonString());
        File.Move($"{path}.tmp", path, overwrite: true);
    }

    /// <summary>Every entry of a container, newest interface first: the reverse of how they were added.</summary>
    public ImmutableArray<CniCacheEntry> Find(string containerId)
    {
        try
        {
            return [.. Directory.EnumerateFiles(_results, $"*-{containerId}-*")
                .Where(file => !file.EndsWith(".tmp", StringComparison.Ordinal))
                .Select(Read)
                .OfType<CniCacheEntry>()
                .Where(entry => entry.ContainerId == containerId)
                .OrderByDescending(entry => entry.Interface, StringComparer.Ordinal)];
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }

    public void Delete(CniCacheEntry entry)
    {
        // Where the directory is gone too, File.Delete would throw.
        if (Directory.Exists(_results)) File.Delete(PathOf(entry));
    }

    private string PathOf(CniCacheEntry entry) =>
        Path.Combine(_results, $"{entry.Network}-{entry.ContainerId}-{entry.Interface}");

    /// <summary>Null for a file that a power loss has torn: it names nothing that could be deleted.</summary>
    private static CniCacheEntry? Read(string file)
    {
        try
        {
            if (JsonNode.Parse(File.ReadAllText(file)) is not JsonObject json || (string?)json["kind"] != Kind) return null;
            return new CniCacheEntry(
                (string?)json["containerId"] ?? "",
                (string?)json["networkName"] ?? "",
                (string?)json["ifName"] ?? "",
                Encoding.UTF8.GetString(Convert.FromBase64String((string?)json["config"] ?? "")),
                (string?)json["netns"] ?? "",
                [.. (json["cniArgs"] as JsonArray ?? []).OfType<JsonArray>().Where(pair => pair.Count == 2)
                    .Select(pair => KeyValuePair.Create((string?)pair[0] ?? "", (string?)pair[1] ?? ""))],
                json["capabilityArgs"]?.DeepClone() as JsonObject ?? [],
                json["result"]?.DeepClone() as JsonObject);
        }
        catch (Exception torn) when (torn is JsonException or FormatException or InvalidOperationException)
        {
            return null;
        }
    }
}

/// <param name="Config">The network's whole configuration.</param>
/// <param name="Result">Null while ADD has not succeeded.</param>
internal sealed record CniCacheEntry(
    string ContainerId, string Network, string Interface, string Config, string NetnsPath,
    ImmutableArray<KeyValuePair<string, string>> Args, JsonObject Capabilities, JsonObject? Result);
