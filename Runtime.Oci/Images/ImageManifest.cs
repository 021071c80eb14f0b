using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Runtime.Faults;

namespace Runtime.Oci.Images;

/// <summary>One image for one platform (OCI image spec 1.1, manifest.md; Docker manifest version 2, schema 2).</summary>
public sealed record ImageManifest : ManifestDocument
{
    [JsonPropertyName("config")]
    public required Descriptor Config { get; init; }

    /// <summary>Bottom layer first. One digest may stand here more than once.</summary>
    [JsonPropertyName("layers")]
    [JsonConverter(typeof(ImmutableArrayConverter<Descriptor>))]
    public required ImmutableArray<Descriptor> Layers { get; init => field = value.IsDefault ? [] : value; }

    [JsonIgnore]
    public override ImmutableArray<Descriptor> Children => [Config, .. Layers];

    /// <summary>Bytes of config and layers; a layer that stands here twice counts once, as it is stored once.</summary>
    [JsonIgnore]
    public long ContentSize => Children.DistinctBy(child => child.Digest).Sum(child => child.Size);

    /// <exception cref="FaultException">InvalidArgument <c>manifest.malformed</c> or <c>manifest.too-large</c>, Unimplemented
    /// <c>manifest.schema1</c>.</exception>
    public static ImageManifest Parse(ReadOnlyMemory<byte> json, string? declaredMediaType = null) =>
        ManifestReader.Read(json, declaredMediaType) as ImageManifest
        ?? throw ManifestReader.Malformed("it is an index, where the manifest of one image was expected");

    public byte[] ToBytes() => OciJson.Write(this, OciJson.Default.ImageManifest);
}
