using System.Text.Json;
using System.Text.Json.Serialization;

namespace Runtime.Oci.RuntimeSpec;

/// <summary>The <c>process</c> object: of the container, or of an exec (OCI runtime spec 1.0.2, config.md#process).</summary>
public sealed record OciProcess
{
    [JsonPropertyName("terminal")]
    public bool? Terminal { get; init; }

    [JsonPropertyName("user")]
    public OciUser? User { get; init; }

    [JsonPropertyName("args")]
    public IReadOnlyList<string>? Args { get; init; }

    /// <summary><c>KEY=VALUE</c>.</summary>
    [JsonPropertyName("env")]
    public IReadOnlyList<string>? Env { get; init; }

    [JsonPropertyName("cwd")]
    public string? Cwd { get; init; }

    [JsonPropertyName("capabilities")]
    public OciCapabilities? Capabilities { get; init; }

    [JsonPropertyName("rlimits")]
    public IReadOnlyList<OciRlimit>? Rlimits { get; init; }

    [JsonPropertyName("noNewPrivileges")]
    public bool? NoNewPrivileges { get; init; }

    [JsonPropertyName("apparmorProfile")]
    public string? ApparmorProfile { get; init; }

    [JsonPropertyName("oomScoreAdj")]
    public long? OomScoreAdj { get; init; }

    [JsonPropertyName("selinuxLabel")]
    public string? SelinuxLabel { get; init; }

    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; set; }
}

public sealed record OciUser(
    [property: JsonPropertyName("uid")] uint Uid,
    [property: JsonPropertyName("gid")] uint Gid,
    [property: JsonPropertyName("additionalGids")] IReadOnlyList<uint>? AdditionalGids = null,
    [property: JsonPropertyName("umask")] uint? Umask = null);

/// <summary>Names with CAP_. A set that is null is empty.</summary>
public sealed record OciCapabilities
{
    [JsonPropertyName("bounding")]
    public IReadOnlyList<string>? Bounding { get; init; }

    [JsonPropertyName("effective")]
    public IReadOnlyList<string>? Effective { get; init; }

    [JsonPropertyName("inheritable")]
    public IReadOnlyList<string>? Inheritable { get; init; }

    [JsonPropertyName("permitted")]
    public IReadOnlyList<string>? Permitted { get; init; }

    [JsonPropertyName("ambient")]
    public IReadOnlyList<string>? Ambient { get; init; }
}

/// <param name="Type"><c>RLIMIT_NOFILE</c> and the like.</param>
public sealed record OciRlimit(
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("hard")] ulong Hard,
    [property: JsonPropertyName("soft")] ulong Soft);
