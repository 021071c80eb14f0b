using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Runtime.Oci.Images;

/// <summary>What an image says about processes (OCI image spec 1.1, config.md, "config"). Names are the spec's.</summary>
public sealed record ImageProcess
{
    /// <summary><c>user[:group]</c>, names or numbers.</summary>
    [JsonPropertyName("User")]
    public string? User { get; init; }

    /// <summary><c>8080/tcp</c>. Information only.</summary>
    [JsonPropertyName("ExposedPorts")]
    [JsonConverter(typeof(ObjectKeysConverter))]
    public ImmutableArray<string> ExposedPorts { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary><c>KEY=VALUE</c>.</summary>
    [JsonPropertyName("Env")]
    [JsonConverter(typeof(ImmutableArrayConverter<string>))]
    public ImmutableArray<string> Env { get; init => field = value.IsDefault ? [] : value; } = [];

    [JsonPropertyName("Entrypoint")]
    [JsonConverter(typeof(ImmutableArrayConverter<string>))]
    public ImmutableArray<string> Entrypoint { get; init => field = value.IsDefault ? [] : value; } = [];

    [JsonPropertyName("Cmd")]
    [JsonConverter(typeof(ImmutableArrayConverter<string>))]
    public ImmutableArray<string> Cmd { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Paths in the container.</summary>
    [JsonPropertyName("Volumes")]
    [JsonConverter(typeof(ObjectKeysConverter))]
    public ImmutableArray<string> Volumes { get; init => field = value.IsDefault ? [] : value; } = [];

    [JsonPropertyName("WorkingDir")]
    public string? WorkingDir { get; init; }

    [JsonPropertyName("Labels")]
    public ImmutableSortedDictionary<string, string>? Labels { get; init; }

    /// <summary><c>SIGTERM</c>, or a number.</summary>
    [JsonPropertyName("StopSignal")]
    public string? StopSignal { get; init; }

    /// <summary>Windows only; kept as it is.</summary>
    [JsonPropertyName("ArgsEscaped")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool ArgsEscaped { get; init; }
}
