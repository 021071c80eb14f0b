using System.Text.Json;
using System.Text.Json.Serialization;

namespace Runtime.Oci.RuntimeSpec;

/// <summary><c>linux.resources</c>: limits of the container's cgroup, in the terms of cgroup v1, and v2's own in <see cref="Unified"/>.</summary>
public sealed record OciResources
{
    [JsonPropertyName("devices")]
    public IReadOnlyList<OciDeviceRule>? Devices { get; init; }

    [JsonPropertyName("memory")]
    public OciMemory? Memory { get; init; }

    [JsonPropertyName("cpu")]
    public OciCpu? Cpu { get; init; }

    [JsonPropertyName("blockIO")]
    public OciBlockIo? BlockIo { get; init; }

    [JsonPropertyName("pids")]
    public OciPids? Pids { get; init; }

    [JsonPropertyName("hugepageLimits")]
    public IReadOnlyList<OciHugepageLimit>? HugepageLimits { get; init; }

    /// <summary>cgroup v2 files and their values.</summary>
    [JsonPropertyName("unified")]
    public IReadOnlyDictionary<string, string>? Unified { get; init; }

    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; set; }
}

/// <summary>Later rules win.</summary>
/// <param name="Type"><c>a</c>, <c>b</c>, <c>c</c>; null for all.</param>
/// <param name="Major">Null: any.</param>
/// <param name="Access">Of <c>r</c>, <c>w</c>, <c>m</c>.</param>
public sealed record OciDeviceRule(
    [property: JsonPropertyName("allow")] bool Allow,
    [property: JsonPropertyName("type")] string? Type = null,
    [property: JsonPropertyName("major")] long? Major = null,
    [property: JsonPropertyName("minor")] long? Minor = null,
    [property: JsonPropertyName("access")] string? Access = null);

/// <summary>Bytes.</summary>
public sealed record OciMemory
{
    [JsonPropertyName("limit")]
    public long? Limit { get; init; }

    [JsonPropertyName("reservation")]
    public long? Reservation { get; init; }

    /// <summary>Memory and swap together.</summary>
    [JsonPropertyName("swap")]
    public long? Swap { get; init; }

    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; set; }
}

public sealed record OciCpu
{
    [JsonPropertyName("shares")]
    public ulong? Shares { get; init; }

    /// <summary>Microseconds per period.</summary>
    [JsonPropertyName("quota")]
    public long? Quota { get; init; }

    /// <summary>Microseconds.</summary>
    [JsonPropertyName("period")]
    public ulong? Period { get; init; }

    [JsonPropertyName("cpus")]
    public string? Cpus { get; init; }

    [JsonPropertyName("mems")]
    public string? Mems { get; init; }

    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; set; }
}

public sealed record OciPids([property: JsonPropertyName("limit")] long Limit);

/// <param name="PageSize"><c>2MB</c>, <c>1GB</c>.</param>
/// <param name="Limit">Bytes.</param>
public sealed record OciHugepageLimit(
    [property: JsonPropertyName("pageSize")] string PageSize,
    [property: JsonPropertyName("limit")] ulong Limit);
