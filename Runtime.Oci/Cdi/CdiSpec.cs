using System.Text.Json.Serialization;
using Runtime.Oci.RuntimeSpec;

namespace Runtime.Oci.Cdi;

// A member that a file lacks is null, whatever its initializer says: hence the accessors.

/// <summary>
/// A file of the Container Device Interface (CDI spec 1.0): devices of one kind, and what a container needs for each.
/// </summary>
public sealed record CdiSpec
{
    [JsonPropertyName("cdiVersion")]
    public string Version { get; init => field = value ?? ""; } = "";

    /// <summary><c>vendor/class</c>.</summary>
    [JsonPropertyName("kind")]
    public string Kind { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("devices")]
    public IReadOnlyList<CdiDevice>? Devices { get; init; }

    /// <summary>For a container that has any of the devices.</summary>
    [JsonPropertyName("containerEdits")]
    public CdiEdits? Edits { get; init; }
}

public sealed record CdiDevice
{
    [JsonPropertyName("name")]
    public string Name { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("containerEdits")]
    public CdiEdits? Edits { get; init; }
}

public sealed record CdiEdits
{
    /// <summary><c>NAME=value</c>.</summary>
    [JsonPropertyName("env")]
    public IReadOnlyList<string>? Environment { get; init; }

    [JsonPropertyName("deviceNodes")]
    public IReadOnlyList<CdiDeviceNode>? DeviceNodes { get; init; }

    [JsonPropertyName("mounts")]
    public IReadOnlyList<CdiMount>? Mounts { get; init; }

    [JsonPropertyName("hooks")]
    public IReadOnlyList<CdiHook>? Hooks { get; init; }

    [JsonPropertyName("additionalGids")]
    public IReadOnlyList<uint>? AdditionalGids { get; init; }

    [JsonPropertyName("intelRdt")]
    public OciIntelRdt? IntelRdt { get; init; }
}

/// <summary>What is not said is the host device's.</summary>
public sealed record CdiDeviceNode
{
    /// <summary>In the container.</summary>
    [JsonPropertyName("path")]
    public string Path { get; init => field = value ?? ""; } = "";

    /// <summary>Null: the same as <see cref="Path"/>.</summary>
    [JsonPropertyName("hostPath")]
    public string? HostPath { get; init; }

    /// <summary><c>b</c>, <c>c</c>, <c>u</c> or <c>p</c>.</summary>
    [JsonPropertyName("type")]
    public string? Type { get; init; }

    [JsonPropertyName("major")]
    public long? Major { get; init; }

    [JsonPropertyName("minor")]
    public long? Minor { get; init; }

    [JsonPropertyName("fileMode")]
    public uint? FileMode { get; init; }

    /// <summary>Of <c>r</c>, <c>w</c> and <c>m</c>; null for all.</summary>
    [JsonPropertyName("permissions")]
    public string? Permissions { get; init; }

    [JsonPropertyName("uid")]
    public uint? Uid { get; init; }

    [JsonPropertyName("gid")]
    public uint? Gid { get; init; }
}

public sealed record CdiMount
{
    [JsonPropertyName("hostPath")]
    public string HostPath { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("containerPath")]
    public string ContainerPath { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("options")]
    public IReadOnlyList<string>? Options { get; init; }

    [JsonPropertyName("type")]
    public string? Type { get; init; }
}

public sealed record CdiHook
{
    /// <summary>
    /// <c>prestart</c>, <c>createRuntime</c>, <c>createContainer</c>, <c>startContainer</c>, <c>poststart</c> or
    /// <c>poststop</c>.
    /// </summary>
    [JsonPropertyName("hookName")]
    public string Name { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("path")]
    public string Path { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("args")]
    public IReadOnlyList<string>? Args { get; init; }

    [JsonPropertyName("env")]
    public IReadOnlyList<string>? Environment { get; init; }

    /// <summary>Seconds.</summary>
    [JsonPropertyName("timeout")]
    public int? Timeout { get; init; }
}
