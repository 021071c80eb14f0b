using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Runtime.Oci.Images;

/// <summary>
/// Source-generated JSON of the formats here. A member that stands twice is refused, as readers disagree on which one counts.
/// </summary>
[JsonSourceGenerationOptions(
    AllowDuplicateProperties = false,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    MaxDepth = 32)]
[JsonSerializable(typeof(ImageManifest))]
[JsonSerializable(typeof(ImageIndex))]
[JsonSerializable(typeof(ImageConfig))]
[JsonSerializable(typeof(ManifestOutline))]
[JsonSerializable(typeof(ImmutableArray<Descriptor>))]
[JsonSerializable(typeof(ImmutableArray<HistoryEntry>))]
[JsonSerializable(typeof(ImmutableArray<Digest>))]
[JsonSerializable(typeof(ImmutableArray<string>))]
internal sealed partial class OciJson : JsonSerializerContext
{
    /// <exception cref="JsonException">Not JSON, not this type, or the literal null.</exception>
    public static T Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(json, type) ?? throw new JsonException("The document is null.");

    /// <summary>Empty lists are left out, as Go programs do, unless the spec requires them.</summary>
    public static byte[] Write<T>(T value, JsonTypeInfo<T> type) =>
        JsonSerializer.SerializeToUtf8Bytes(value, (JsonTypeInfo<T>)Lean.Options.GetTypeInfo(type.Type));

    // A class of its own: the order in which a partial class's fields are initialised is not ours.
    private static class Lean
    {
        public static readonly JsonSerializerOptions Options = new(Default.Options)
        {
            // A plus sign stays one; these documents never stand in HTML.
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            TypeInfoResolver = ((IJsonTypeInfoResolver)Default).WithAddedModifier(OmitEmpty),
        };

        private static void OmitEmpty(JsonTypeInfo type)
        {
            foreach (var property in type.Properties.Where(property => !property.IsRequired))
            {
                if (property.PropertyType == typeof(ImmutableArray<string>))
                    property.ShouldSerialize = static (_, value) => value is ImmutableArray<string> { IsDefaultOrEmpty: false };
                else if (property.PropertyType == typeof(ImmutableArray<HistoryEntry>))
                    property.ShouldSerialize = static (_, value) => value is ImmutableArray<HistoryEntry> { IsDefaultOrEmpty: false };
            }
        }
    }
}
