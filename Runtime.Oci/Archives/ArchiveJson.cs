using System.Text.Json.Serialization;

namespace Runtime.Oci.Archives;

/// <summary>One image of <c>manifest.json</c> in what <c>docker save</c> writes. Names are Docker's.</summary>
internal sealed record DockerArchiveEntry
{
    /// <summary>Path of the config in the archive.</summary>
    [JsonPropertyName("Config")]
    public required string Config { get; init; }

    [JsonPropertyName("RepoTags")]
    public string[]? RepoTags { get; init; }

    /// <summary>Paths of the layers in the archive, bottom first.</summary>
    [JsonPropertyName("Layers")]
    public string[]? Layers { get; init; }
}

/// <summary>The file <c>oci-layout</c> (OCI image spec 1.1, image-layout.md).</summary>
internal sealed record LayoutMark([property: JsonPropertyName("imageLayoutVersion")] string Version);

[JsonSourceGenerationOptions(MaxDepth = 16)]
[JsonSerializable(typeof(DockerArchiveEntry[]))]
[JsonSerializable(typeof(LayoutMark))]
internal sealed partial class ArchiveJson : JsonSerializerContext;
