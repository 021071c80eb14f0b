using System.Text.Json;
using System.Text.Json.Serialization;

namespace Runtime.Oci.Images;

/// <summary>A digest as a JSON string. Anything else is a <see cref="JsonException"/>.</summary>
public sealed class DigestJsonConverter : JsonConverter<Digest>
{
    public override Digest Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType is not JsonTokenType.String) throw new JsonException("A digest is a string.");
        var text = reader.GetString();
        return Digest.TryParse(text, out var digest)
            ? digest
            : throw new JsonException($"\"{Shown.Of(text)}\" is no sha256 or sha512 digest.");
    }

    public override void Write(Utf8JsonWriter writer, Digest value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}
