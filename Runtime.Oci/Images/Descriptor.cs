using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Runtime.Oci.Images;

/// <summary>Points to content (OCI image spec 1.1, descriptor.md).</summary>
public sealed record Descriptor
{
    [JsonPropertyName("mediaType")]
    public required string MediaType { get; init; }

    [JsonPropertyName("digest")]
    public required Digest Digest { get; init; }

    /// <summary>Bytes of the content, as stored: compressed for a compressed layer.</summary>
    [JsonPropertyName("size")]
    public required long Size { get; init; }

    /// <summary>Where else the content is, for foreign and nondistributable layers.</summary>
    [JsonPropertyName("urls")]
    [JsonConverter(typeof(ImmutableArrayConverter<string>))]
    public ImmutableArray<string> Urls { get; init => field = value.IsDefault ? [] : value; } = [];

    [JsonPropertyName("annotations")]
    public ImmutableSortedDictionary<string, string>? Annotations { get; init; }

    [JsonPropertyName("platform")]
    public Platform? Platform { get; init; }

    [JsonPropertyName("artifactType")]
    public string? ArtifactType { get; init; }

    public static Descriptor Of(string mediaType, ReadOnlySpan<byte> content) =>
        new() { MediaType = mediaType, Digest = Digest.Of(content), Size = content.Length };

    public override string ToString() => $"{MediaType} {Digest} ({Size} bytes)";
}
