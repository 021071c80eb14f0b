using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Runtime.Faults;

namespace Runtime.Oci.Cdi;

/// <summary>Reads CDI files, JSON and YAML.</summary>
[JsonSourceGenerationOptions(NumberHandling = JsonNumberHandling.AllowReadingFromString, Converters = [typeof(WrittenText)])]
[JsonSerializable(typeof(CdiSpec))]
public sealed partial class CdiSpecReader : JsonSerializerContext
{
    /// <param name="file">Its name decides the format: <c>.json</c>, else YAML.</param>
    /// <exception cref="FaultException">InvalidArgument (<c>cdi.invalid-spec</c>), naming the file.</exception>
    public static CdiSpec Read(byte[] content, string file)
    {
        try
        {
            var json = file.EndsWith(".json", StringComparison.Ordinal) ? content : YamlJson.Convert(Encoding.UTF8.GetString(content));
            var spec = JsonSerializer.Deserialize(json, Default.CdiSpec) ?? throw new JsonException("the document is null");
            Check(spec);
            return spec;
        }
        catch (JsonException malformed)
        {
            throw new FaultException(FaultKind.InvalidArgument, "cdi.invalid-spec", $"{file}: {malformed.Message}", malformed);
        }
    }

    private static void Check(CdiSpec spec)
    {
        if (spec.Version.Length == 0) throw new JsonException("cdiVersion is missing");
        if (!CdiName.IsKind(spec.Kind)) throw new JsonException($"kind \"{spec.Kind}\" is not vendor/class");
        var names = new HashSet<string>(StringComparer.Ordinal);
        Check(spec.Edits);
        foreach (var device in spec.Devices ?? [])
        {
            if (!CdiName.IsDevice(device.Name)) throw new JsonException($"device name \"{device.Name}\" is not valid");
            if (!names.Add(device.Name)) throw new JsonException($"device {device.Name} is there twice");
            Check(device.Edits);
        }
    }

    private static void Check(CdiEdits? edits)
    {
        if (edits is null) return;
        foreach (var entry in edits.Environment ?? [])
            if (entry.IndexOf('=') < 1) throw new JsonException($"environment entry \"{entry}\" is not NAME=value");
        foreach (var node in edits.DeviceNodes ?? [])
        {
            if (!node.Path.StartsWith('/')) throw new JsonException($"device path \"{node.Path}\" is not absolute");
            if (node.Type is not (null or "" or "b" or "c" or "u" or "p"))
                throw new JsonException($"device type \"{node.Type}\" is not b, c, u or p");
            if ((node.Permissions ?? "").Any(letter => !"rwm".Contains(letter)))
                throw new JsonException($"permissions \"{node.Permissions}\" are not of r, w and m");
        }
        foreach (var mount in edits.Mounts ?? [])
            if (!mount.ContainerPath.StartsWith('/') || mount.HostPath.Length == 0)
                throw new JsonException($"mount of \"{mount.HostPath}\" at \"{mount.ContainerPath}\" needs both paths, and an absolute one in the container");
        foreach (var hook in edits.Hooks ?? [])
            if (!hook.Path.StartsWith('/') || hook.Name is not ("prestart" or "createRuntime" or "createContainer" or "startContainer" or "poststart" or "poststop"))
                throw new JsonException($"hook \"{hook.Name}\" with path \"{hook.Path}\" is not one of the runtime spec's, or has no absolute path");
    }

    /// <summary>
    /// YAML does not tell <c>name: 0</c> from <c>name: "0"</c>: where text is wanted, a number is what was written.
    /// </summary>
    private sealed class WrittenText : JsonConverter<string>
    {
        public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType switch
            {
                JsonTokenType.String => reader.GetString(),
                JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False => Encoding.UTF8.GetString(reader.ValueSpan),
                JsonTokenType.Null => null,
                _ => throw new JsonException("text was expected"),
            };

        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value);
    }
}
