using System.Text.Json;
using System.Text.Json.Serialization;

namespace Runtime.Oci.RuntimeSpec;

/// <summary>config.json of a bundle (OCI runtime spec 1.0.2, config.md). Absent members are null; unknown ones are kept.</summary>
public sealed record OciSpec
{
    [JsonPropertyName("ociVersion")]
    public string? OciVersion { get; init; }

    [JsonPropertyName("process")]
    public OciProcess? Process { get; init; }

    [JsonPropertyName("root")]
    public OciRoot? Root { get; init; }

    [JsonPropertyName("hostname")]
    public string? Hostname { get; init; }

    [JsonPropertyName("mounts")]
    public IReadOnlyList<OciMount>? Mounts { get; init; }

    [JsonPropertyName("hooks")]
    public OciHooks? Hooks { get; init; }

    [JsonPropertyName("annotations")]
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    [JsonPropertyName("linux")]
    public OciLinux? Linux { get; init; }

    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; set; }
}

/// <param name="Path">Absolute, or relative to the bundle.</param>
public sealed record OciRoot(
    [property: JsonPropertyName("path")] string Path,
    [property: JsonPropertyName("readonly")] bool? Readonly = null);

/// <summary>One entry of <c>mounts</c>. Mounted in the order of the list.</summary>
public sealed record OciMount
{
    [JsonPropertyName("destination")]
    public required string Destination { get; init; }

    [JsonPropertyName("type")]
    public string? Type { get; init; }

    [JsonPropertyName("source")]
    public string? Source { get; init; }

    [JsonPropertyName("options")]
    public IReadOnlyList<string>? Options { get; init; }

    /// <summary>Not null: an id-mapped mount (runtime spec 1.1).</summary>
    [JsonPropertyName("uidMappings")]
    public IReadOnlyList<OciIdMapping>? UidMappings { get; init; }

    [JsonPropertyName("gidMappings")]
    public IReadOnlyList<OciIdMapping>? GidMappings { get; init; }

    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; set; }
}

public sealed record OciHooks
{
    [JsonPropertyName("prestart")]
    public IReadOnlyList<OciHook>? Prestart { get; init; }

    [JsonPropertyName("createRuntime")]
    public IReadOnlyList<OciHook>? CreateRuntime { get; init; }

    [JsonPropertyName("createContainer")]
    public IReadOnlyList<OciHook>? CreateContainer { get; init; }

    [JsonPropertyName("startContainer")]
    public IReadOnlyList<OciHook>? StartContainer { get; init; }

    [JsonPropertyName("poststart")]
    public IReadOnlyList<OciHook>? Poststart { get; init; }

    [JsonPropertyName("poststop")]
    public IReadOnlyList<OciHook>? Poststop { get; init; }
}

/// <param name="Timeout">Seconds.</param>
public sealed record OciHook(
    [property: JsonPropertyName("path")] string Path,
    [property: JsonPropertyName("args")] IReadOnlyList<string>? Args = null,
    [property: JsonPropertyName("env")] IReadOnlyList<string>? Env = null,
    [property: JsonPropertyName("timeout")] int? Timeout = null);
