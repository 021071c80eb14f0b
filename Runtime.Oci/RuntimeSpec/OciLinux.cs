using System.Text.Json;
using System.Text.Json.Serialization;

namespace Runtime.Oci.RuntimeSpec;

/// <summary>The <c>linux</c> object (OCI runtime spec 1.0.2, config-linux.md).</summary>
public sealed record OciLinux
{
    [JsonPropertyName("uidMappings")]
    public IReadOnlyList<OciIdMapping>? UidMappings { get; init; }

    [JsonPropertyName("gidMappings")]
    public IReadOnlyList<OciIdMapping>? GidMappings { get; init; }

    [JsonPropertyName("sysctl")]
    public IReadOnlyDictionary<string, string>? Sysctl { get; init; }

    [JsonPropertyName("resources")]
    public OciResources? Resources { get; init; }

    /// <summary><c>/parent/id</c> for cgroupfs, <c>slice:prefix:id</c> for systemd.</summary>
    [JsonPropertyName("cgroupsPath")]
    public string? CgroupsPath { get; init; }

    /// <summary>A kind that is not listed is the runtime's own: the host's.</summary>
    [JsonPropertyName("namespaces")]
    public IReadOnlyList<OciNamespace>? Namespaces { get; init; }

    [JsonPropertyName("devices")]
    public IReadOnlyList<OciDevice>? Devices { get; init; }

    [JsonPropertyName("seccomp")]
    public OciSeccomp? Seccomp { get; init; }

    [JsonPropertyName("rootfsPropagation")]
    public string? RootfsPropagation { get; init; }

    [JsonPropertyName("maskedPaths")]
    public IReadOnlyList<string>? MaskedPaths { get; init; }

    [JsonPropertyName("readonlyPaths")]
    public IReadOnlyList<string>? ReadonlyPaths { get; init; }

    [JsonPropertyName("intelRdt")]
    public OciIntelRdt? IntelRdt { get; init; }

    [JsonPropertyName("mountLabel")]
    public string? MountLabel { get; init; }

    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; set; }
}

public sealed record OciIdMapping(
    [property: JsonPropertyName("containerID")] uint ContainerId,
    [property: JsonPropertyName("hostID")] uint HostId,
    [property: JsonPropertyName("size")] uint Size);

/// <summary>A class of Intel's resource director (config-linux.md#intelrdt).</summary>
public sealed record OciIntelRdt
{
    [JsonPropertyName("closID")]
    public string? ClosId { get; init; }

    [JsonPropertyName("l3CacheSchema")]
    public string? L3CacheSchema { get; init; }

    [JsonPropertyName("memBwSchema")]
    public string? MemBwSchema { get; init; }

    [JsonPropertyName("enableCMT")]
    public bool? EnableCmt { get; init; }

    [JsonPropertyName("enableMBM")]
    public bool? EnableMbm { get; init; }
}

/// <param name="Type"><c>pid</c>, <c>network</c>, <c>mount</c>, <c>ipc</c>, <c>uts</c>, <c>user</c>, <c>cgroup</c>.</param>
/// <param name="Path">Null: a new one.</param>
public sealed record OciNamespace(
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("path")] string? Path = null);

/// <summary>A device node that the runtime makes in the container.</summary>
public sealed record OciDevice
{
    [JsonPropertyName("path")]
    public required string Path { get; init; }

    /// <summary><c>c</c>, <c>b</c>, <c>u</c> or <c>p</c>.</summary>
    [JsonPropertyName("type")]
    public required string Type { get; init; }

    [JsonPropertyName("major")]
    public long? Major { get; init; }

    [JsonPropertyName("minor")]
    public long? Minor { get; init; }

    /// <summary>Permission bits.</summary>
    [JsonPropertyName("fileMode")]
    public uint? FileMode { get; init; }

    [JsonPropertyName("uid")]
    public uint? Uid { get; init; }

    [JsonPropertyName("gid")]
    public uint? Gid { get; init; }
}
