using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Runtime.Oci.Images;

/// <summary>An <see cref="ImageManifest"/> or an <see cref="ImageIndex"/>: what a reference resolves to.</summary>
public abstract record ManifestDocument
{
    [JsonPropertyName("schemaVersion")]
    [JsonPropertyOrder(-2)]
    public int SchemaVersion { get; init; } = 2;

    /// <summary>As the document says, or as it was declared where the document says nothing.</summary>
    [JsonPropertyName("mediaType")]
    [JsonPropertyOrder(-1)]
    public string? MediaType { get; init; }

    [JsonPropertyName("artifactType")]
    public string? ArtifactType { get; init; }

    [JsonPropertyName("subject")]
    public Descriptor? Subject { get; init; }

    [JsonPropertyName("annotations")]
    public ImmutableSortedDictionary<string, string>? Annotations { get; init; }

    /// <summary>What this document needs, in its order: config and layers, or manifests.</summary>
    [JsonIgnore]
    public abstract ImmutableArray<Descriptor> Children { get; }
}
