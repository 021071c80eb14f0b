using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Runtime.Faults;
using Runtime.Oci.Cdi;

namespace Runtime.Oci.BlockIo;

/// <summary>What a class says about some disks, or, without any, about all: only a weight then.</summary>
/// <param name="Devices">Paths, globs allowed.</param>
/// <param name="Weight">10 to 1000.</param>
/// <param name="ReadBps">Bytes per second; null for no limit.</param>
/// <param name="ReadIops">Operations per second; null for no limit.</param>
public sealed record BlockIoRule(
    ImmutableArray<string> Devices, long? Weight, long? ReadBps, long? WriteBps, long? ReadIops, long? WriteIops);

/// <summary>
/// A file of block I/O classes, as containerd's <c>blockio_config_file</c> has them: YAML, keys in any case, numbers with
/// Kubernetes' suffixes.
/// </summary>
/// <remarks>
/// <code>
/// Classes:
///   slow:
///   - Weight: 50
///   - Devices: [/dev/sd[a-z], /dev/nvme*n1]
///     ThrottleReadBps: 60M
///     ThrottleWriteIOPS: 1k
/// </code>
/// </remarks>
public static class BlockIoConfig
{
    private static readonly ImmutableArray<string> Keys =
        ["devices", "weight", "throttlereadbps", "throttlewritebps", "throttlereadiops", "throttlewriteiops"];

    /// <param name="source">The file, for messages.</param>
    /// <exception cref="FaultException">InvalidArgument (<c>blockio.invalid-config</c>), naming the file and what is wrong.</exception>
    public static ImmutableSortedDictionary<string, ImmutableArray<BlockIoRule>> Parse(ReadOnlySpan<byte> yaml, string source)
    {
        try
        {
            using var document = JsonDocument.Parse(YamlJson.Convert(Encoding.UTF8.GetString(yaml)));
            var root = Members(document.RootElement, "the file");
            if (root.Keys.FirstOrDefault(key => key != "classes") is { } unknown) throw new JsonException($"\"{unknown}\" is not known");
            return !root.TryGetValue("classes", out var classes)
                ? ImmutableSortedDictionary<string, ImmutableArray<BlockIoRule>>.Empty
                : Named(classes).ToImmutableSortedDictionary(one => one.Name, one => Rules(one.Value, one.Name));
        }
        catch (JsonException wrong)
        {
            throw new FaultException(FaultKind.InvalidArgument, "blockio.invalid-config", $"{source}: {wrong.Message}", wrong);
        }
    }

    // The names of classes are as written; only the keys around them are of any case.
    private static JsonElement.ObjectEnumerator Named(JsonElement classes) =>
        classes.ValueKind == JsonValueKind.Object ? classes.EnumerateObject() : throw new JsonException("\"classes\" is not a mapping");

    private static ImmutableArray<BlockIoRule> Rules(JsonElement rules, string name) =>
        rules.ValueKind == JsonValueKind.Array
            ? [.. rules.EnumerateArray().Select(rule => Rule(rule, name))]
            : throw new JsonException($"class {name} is not a list");

    private static BlockIoRule Rule(JsonElement rule, string name)
    {
        var members = Members(rule, $"class {name}");
        if (members.Keys.FirstOrDefault(key => !Keys.Contains(key)) is { } unknown)
            throw new JsonException($"class {name}: \"{unknown}\" is not known");
        var parsed = new BlockIoRule(
            members.TryGetValue("devices", out var devices) ? Paths(devices, name) : [],
            Number("weight", 10, 1000), Number("throttlereadbps"), Number("throttlewritebps"), Number("throttlereadiops"), Number("throttlewriteiops"));
        if (parsed.Devices.IsEmpty && parsed is not { ReadBps: null, WriteBps: null, ReadIops: null, WriteIops: null })
            throw new JsonException($"class {name}: a throttle needs devices");
        return parsed;

        long? Number(string key, long min = 0, long max = long.MaxValue)
        {
            if (!members.TryGetValue(key, out var value)) return null;
            var text = value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
            return Quantity(text) is { } number && number >= min && number <= max
                ? number
                : throw new JsonException($"class {name}: {key} \"{text}\" is no number from {min} to {max}");
        }
    }

    private static ImmutableArray<string> Paths(JsonElement devices, string name)
    {
        if (devices.ValueKind != JsonValueKind.Array) throw new JsonException($"class {name}: \"devices\" is not a list");
        return
        [
            .. devices.EnumerateArray().Select(device => device.ValueKind == JsonValueKind.String && device.GetString()!.StartsWith('/')
                ? device.GetString()!
                : throw new JsonException($"class {name}: device {device.GetRawText()} is no absolute path")),
        ];
    }

    private static Dictionary<string, JsonElement> Members(JsonElement element, string what)
    {
        if (element.ValueKind != JsonValueKind.Object) throw new JsonException($"{what} is not a mapping");
        var members = new Dictionary<string, JsonElement>();
        foreach (var member in element.EnumerateObject())
            if (!members.TryAdd(member.Name.ToLowerInvariant(), member.Value)) throw new JsonException($"{what} has \"{member.Name}\" twice");
        return members;
    }

    private static long? Quantity(string text)
    {
        var digits = text.TakeWhile(c => char.IsAsciiDigit(c) || c == '.').Count();
        decimal? factor = text[digits..] switch
        {
            "" => 1,
            "k" => 1_000,
            "M" => 1_000_000,
            "G" => 1_000_000_000,
            "T" => 1_000_000_000_000,
            "Ki" => 1L << 10,
            "Mi" => 1L << 20,
            "Gi" => 1L << 30,
            "Ti" => 1L << 40,
            _ => null,
        };
        return factor is not null && digits is > 0 and <= 18
            && decimal.TryParse(text[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && number * factor.Value <= long.MaxValue
            ? (long)(number * factor.Value)
            : null;
    }
}
