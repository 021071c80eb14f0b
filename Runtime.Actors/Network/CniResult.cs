using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Runtime.Faults;

namespace Runtime.Actors.Network;

/// <summary>Reads results of ADD, in the forms of CNI 0.1 to 1.1.</summary>
internal static class CniResult
{
    /// <summary>The container's own addresses without prefix length, in the result's order.</summary>
    /// <remarks>
    /// 0.1 and 0.2: <c>ip4.ip</c> and <c>ip6.ip</c>. From 0.3: <c>ips[].address</c>, where <c>interface</c> is an index into
    /// <c>interfaces</c>, of which only those with a <c>sandbox</c> are in the container.
    /// </remarks>
    /// <exception cref="FaultException">Internal <c>cni.invalid-result</c>.</exception>
    public static ImmutableArray<string> Addresses(JsonObject result, string plugin)
    {
        try
        {
            if (result["ips"] is not JsonArray ips)
                return [.. new[] { result["ip4"], result["ip6"] }.OfType<JsonObject>().Select(one => Address(one["ip"], plugin))];
            var interfaces = result["interfaces"] as JsonArray;
            return [.. ips.OfType<JsonObject>().Where(ip => IsInside(ip, interfaces)).Select(ip => Address(ip["address"], plugin))];
        }
        // A member of another type than the specification's.
        catch (InvalidOperationException wrong)
        {
            throw Invalid(plugin, wrong.Message);
        }
    }

    /// <exception cref="FaultException">Internal <c>cni.invalid-result</c>.</exception>
    public static JsonObject Parse(ReadOnlySpan<byte> json, string plugin)
    {
        try
        {
            return JsonNode.Parse(json) as JsonObject ?? throw Invalid(plugin, "it is not a JSON object");
        }
        catch (JsonException wrong)
        {
            throw Invalid(plugin, wrong.Message);
        }
    }

    /// <summary>The addresses with those of the preferred family first.</summary>
    public static ImmutableArray<string> Prefer(ImmutableArray<string> addresses, CniIpPreference preference) =>
        preference == CniIpPreference.Cni
            ? addresses
            : [.. addresses.OrderBy(address => IPAddress.Parse(address).AddressFamily == AddressFamily.InterNetwork
                ^ preference == CniIpPreference.Ipv4)];

    private static bool IsInside(JsonObject ip, JsonArray? interfaces)
    {
        if (ip["interface"] is not JsonValue index || interfaces is null) return true;
        var at = index.GetValue<int>();
        return at < 0 || at >= interfaces.Count || !string.IsNullOrEmpty((string?)interfaces[at]?["sandbox"]);
    }

    private static string Address(JsonNode? node, string plugin)
    {
        var text = (string?)node ?? "";
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return IPAddress.TryParse(slash < 0 ? text : text[..slash], out var address)
            ? address.ToString()
            : throw Invalid(plugin, $"\"{text}\" is not an address");
    }

    private static FaultException Invalid(string plugin, string what) =>
        new(FaultKind.Internal, "cni.invalid-result", $"CNI plugin {plugin} gave a result that cannot be used: {what}.");
}
