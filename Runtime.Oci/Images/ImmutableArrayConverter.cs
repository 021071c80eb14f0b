using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Runtime.Oci.Images;

/// <summary>A JSON array, where Go programs write null for an empty one. A null element is refused.</summary>
public sealed class ImmutableArrayConverter<T> : JsonConverter<ImmutableArray<T>>
    where T : notnull
{
    public override bool HandleNull => true;

    public override ImmutableArray<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType is JsonTokenType.Null) return [];
        if (reader.TokenType is not JsonTokenType.StartArray) throw new JsonException("An array was expected.");
        var element = (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T));
        var items = ImmutableArray.CreateBuilder<T>();
        while (reader.Read() && reader.TokenType is not JsonTokenType.EndArray)
            items.Add(JsonSerializer.Deserialize(ref reader, element) ?? throw new JsonException("An array has a null element."));
        return items.ToImmutable();
    }

    public override void Write(Utf8JsonWriter writer, ImmutableArray<T> value, JsonSerializerOptions options)
    {
        var element = (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T));
        writer.WriteStartArray();
        foreach (var item in value) JsonSerializer.Serialize(writer, item, element);
        writer.WriteEndArray();
    }
}
