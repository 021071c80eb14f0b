using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Runtime.Oci.Images;

/// <summary>The layers of an image by the digests of their uncompressed tars, bottom first.</summary>
public sealed record ImageRootfs
{
    [JsonPropertyName("type")]
    public required string Type { get; init; }

    [JsonPropertyName("diff_ids")]
    [JsonConverter(typeof(ImmutableArrayConverter<Digest>))]
    public required ImmutableArray<Digest> DiffIds { get; init => field = value.IsDefault ? [] : value; }
}
