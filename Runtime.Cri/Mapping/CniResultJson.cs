using System.Text.Json;

namespace Runtime.Cri.Mapping;

/// <summary>
/// A CNI result in the form in which containerd shows it, which scripts read:
/// <c>{"Interfaces": {"eth0": {"IPConfigs": [{"IP": …, "Gateway": …}], "Mac": …, "Sandbox": …}}, "DNS": [], "Routes": []}</c>.
/// </summary>
internal static class CniResultJson
{
    /// <summary>The interface of a result that names none: CNI before 0.3.0 (<c>ip4</c>, <c>ip6</c>).</summary>
    private const string Unnamed = "eth0";

    private static readonly string[] OldAddresses = ["ip4", "ip6"];

    /// <param name="result">As the last plugin wrote it; each member of it may be missing.</param>
    public static void Write(Utf8JsonWriter json, string result, string networkNamespace)
    {
        using var document = JsonDocument.Parse(result);
        var root = document.RootElement;
        var interfaces = Items(root, "interfaces").ToArray();
        var addresses = Items(root, "ips").ToArray();
        json.WriteStartObject();
        json.WriteStartObject("Interfaces");
        for (var index = 0; index < interfaces.Length; index++)
            Interface(json, Text(interfaces[index], "name"), Text(interfaces[index], "mac"), Text(interfaces[index], "sandbox"),
                addresses.Where(address => IndexOf(address) == index));
        var loose = addresses.Where(address => IndexOf(address) is not { } index || index < 0 || index >= interfaces.Length)
            .Concat(OldAddresses.Where(old => root.TryGetProperty(old, out _)).Select(old => root.GetProperty(old))).ToArray();
        if (loose.Length > 0 && interfaces.All(one => Text(one, "name") != Unnamed)) Interface(json, Unnamed, "", networkNamespace, loose);
        json.WriteEndObject();
        json.WriteStartArray("DNS");
        if (root.TryGetProperty("dns", out var dns)) dns.WriteTo(json);
        json.WriteEndArray();
        json.WriteStartArray("Routes");
        foreach (var route in Items(root, "routes")) route.WriteTo(json);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Interface(Utf8JsonWriter json, string name, string mac, string sandbox, IEnumerable<JsonElement> addresses)
    {
        json.WriteStartObject(name);
        json.WriteStartArray("IPConfigs");
        foreach (var address in addresses)
        {
            json.WriteStartObject();
            json.WriteString("IP", (Text(address, "address") is { Length: > 0 } range ? range : Text(address, "ip")).Split('/')[0]);
            json.WriteString("Gateway", Text(address, "gateway"));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteString("Mac", mac);
        json.WriteString("Sandbox", sandbox);
        json.WriteEndObject();
    }

    private static int? IndexOf(JsonElement address) =>
        address.TryGetProperty("interface", out var index) && index.ValueKind == JsonValueKind.Number && index.TryGetInt32(out var number) ? number : null;

    private static IEnumerable<JsonElement> Items(JsonElement from, string name) =>
        from.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.Object)
            : [];

    private static string Text(JsonElement from, string name) =>
        from.ValueKind == JsonValueKind.Object && from.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String
            ? text.GetString()! : "";
}
