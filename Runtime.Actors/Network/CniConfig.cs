using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Runtime.Faults;

namespace Runtime.Actors.Network;

/// <summary>One plugin of a chain.</summary>
/// <param name="Type">The name of its binary.</param>
/// <param name="Capabilities">Those that it declares as true.</param>
/// <param name="Json">Its object of the chain, as written.</param>
public sealed record CniPluginConfig(string Type, ImmutableSortedSet<string> Capabilities, string Json);

/// <summary>One network: a chain of plugins (<c>.conflist</c>), or a single one that is wrapped into a chain.</summary>
/// <param name="Json">The whole file.</param>
public sealed partial record CniNetworkConfig(
    string Name, string CniVersion, bool DisableCheck, ImmutableArray<CniPluginConfig> Plugins, string Json)
{
    private static readonly ImmutableArray<string> Supported =
        ["1.1.0", "1.0.0", "0.4.0", "0.3.1", "0.3.0", "0.2.0", "0.1.0"];

    /// <summary>CHECK, and a previous result for DEL, came with 0.4.0.</summary>
    public bool HasCheck => CniVersion is not ("0.1.0" or "0.2.0" or "0.3.0" or "0.3.1");

    /// <param name="source">The file, for messages.</param>
    /// <exception cref="FaultException">InvalidArgument <c>cni.invalid-config</c>, naming the file and what is wrong.</exception>
    public static CniNetworkConfig Parse(string json, string source)
    {
        JsonObject root;
        try
        {
            root = JsonNode.Parse(json) as JsonObject ?? throw Invalid(source, "it is not a JSON object");
        }
        catch (JsonException wrong)
        {
            throw Invalid(source, $"it is not JSON: {wrong.Message}");
        }
        var name = Text(root, "name", source) ?? "";
        if (!NetworkName().IsMatch(name))
            throw Invalid(source, $"its name \"{name}\" must be letters, digits, '.', '_' or '-', and begin with a letter or digit");
        var list = root.ContainsKey("plugins");
        var plugins = list
            ? root["plugins"] as JsonArray ?? throw Invalid(source, "\"plugins\" is not a list")
            : [root.DeepClone()];
        if (plugins.Count == 0) throw Invalid(source, "it has no plugins");
        return new CniNetworkConfig(
            name, VersionOf(root, source), IsTrue(root["disableCheck"]),
            [.. plugins.Select(plugin => Plugin(plugin, source))], json);
    }

    private static CniPluginConfig Plugin(JsonNode? node, string source)
    {
        var plugin = node as JsonObject ?? throw Invalid(source, "a plugin is not a JSON object");
        var type = Text(plugin, "type", source) ?? "";
        // The type becomes a file name below the plugin directories, and must not leave them.
        if (type.Length == 0 || type is "." or ".." || type.Contains('/', StringComparison.Ordinal))
            throw Invalid(source, $"a plugin's type is \"{type}\"; it must be the name of a binary");
        var capabilities = plugin["capabilities"] is JsonObject declared
            ? declared.Where(one => IsTrue(one.Value)).Select(one => one.Key)
            : [];
        return new CniPluginConfig(type, [.. capabilities], plugin.ToJsonString());
    }

    private static string VersionOf(JsonObject root, string source)
    {
        var named = root["cniVersions"] is JsonArray several
            ? several.Select(one => one?.GetValueKind() == JsonValueKind.String ? one.GetValue<string>() : "").ToArray()
            : [];
        if (Text(root, "cniVersion", source) is { } version) named = [version, .. named];
        if (named.Length == 0) return "0.1.0";
        return Supported.FirstOrDefault(named.Contains)
            ?? throw Invalid(source, $"cniVersion {string.Join(", ", named)} is not supported; {string.Join(", ", Supported)} are");
    }

    private static string? Text(JsonObject from, string key, string source) => from[key] switch
    {
        null => null,
        JsonValue value when value.GetValueKind() == JsonValueKind.String => value.GetValue<string>(),
        _ => throw Invalid(source, $"\"{key}\" is not a string"),
    };

    // disableCheck may be written as a string (CNI 0.4).
    private static bool IsTrue(JsonNode? node) => node?.GetValueKind() switch
    {
        JsonValueKind.True => true,
        JsonValueKind.String => node.GetValue<string>().Equals("true", StringComparison.OrdinalIgnoreCase),
        _ => false,
    };

    private static FaultException Invalid(string source, string what) =>
        new(FaultKind.InvalidArgument, "cni.invalid-config", $"CNI configuration {source} cannot be used: {what}.");

    [GeneratedRegex("^[a-zA-Z0-9][a-zA-Z0-9_.-]*$")]
    private static partial Regex NetworkName();
}
