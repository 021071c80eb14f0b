using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Runtime.Oci.Images;

/// <summary>A Go set, <c>{"/data": {}}</c>, as its keys. The values mean nothing.</summary>
public sealed class ObjectKeysConverter : JsonConverter<ImmutableArray<string>>
{
    public override bool HandleNull => true;

    public override ImmutableArray<string> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType is JsonTokenType.Null) return [];
        if (reader.TokenType is not JsonTokenType.StartObject) throw new JsonException("An object was expected.");
        var keys = ImmutableArray.CreateBuilder<string>();
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            keys.Add(reader.GetString()!);
            reader.Read();
            reader.Skip();
        }
        return keys.ToImmutable();
    }

    public override void Write(Utf8JsonWriter writer, ImmutableArray<string> value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        foreach (var key in value)
        {
            writer.WriteStartObject(key);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
    }
}
