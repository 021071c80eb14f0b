using System.Text.Json;
using System.Text.Json.Serialization;

namespace Runtime.Oci.Images;

/// <summary>Which members a document has, before it is known what it is.</summary>
internal sealed record ManifestOutline
{
    [JsonPropertyName("schemaVersion")]
    public int SchemaVersion { get; init; }

    [JsonPropertyName("mediaType")]
    public string? MediaType { get; init; }

    [JsonPropertyName("manifests")]
    public JsonElement? Manifests { get; init; }

    [JsonPropertyName("config")]
    public JsonElement? Config { get; init; }

    [JsonPropertyName("layers")]
    public JsonElement? Layers { get; init; }

    [JsonPropertyName("fsLayers")]
    public JsonElement? FsLayers { get; init; }

    public bool HasManifests => Manifests is not null;

    public bool HasConfig => Config is not null;

    public bool HasLayers => Layers is not null;

    public bool IsSchema1 => SchemaVersion == 1 || FsLayers is not null || MediaTypes.IsSchema1(MediaType);
}
