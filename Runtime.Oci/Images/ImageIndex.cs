using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Runtime.Faults;

namespace Runtime.Oci.Images;

/// <summary>One image for several platforms (OCI image spec 1.1, image-index.md), or Docker's manifest list.</summary>
public sealed record ImageIndex : ManifestDocument
{
    [JsonPropertyName("manifests")]
    [JsonConverter(typeof(ImmutableArrayConverter<Descriptor>))]
    public required ImmutableArray<Descriptor> Manifests { get; init => field = value.IsDefault ? [] : value; }

    [JsonIgnore]
    public override ImmutableArray<Descriptor> Children => Manifests;

    /// <exception cref="FaultException">InvalidArgument <c>manifest.malformed</c> or <c>manifest.too-large</c>, Unimplemented
    /// <c>manifest.schema1</c>.</exception>
    public static ImageIndex Parse(ReadOnlyMemory<byte> json, string? declaredMediaType = null) =>
        ManifestReader.Read(json, declaredMediaType) as ImageIndex
        ?? throw ManifestReader.Malformed("it is the manifest of one image, where an index was expected");

    public byte[] ToBytes() => OciJson.Write(this, OciJson.Default.ImageIndex);
}
