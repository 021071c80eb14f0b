using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Runtime.Faults;

namespace Runtime.Oci.RuntimeSpec;

/// <summary>Source-generated JSON of the runtime spec.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(OciSpec))]
[JsonSerializable(typeof(OciProcess))]
[JsonSerializable(typeof(OciResources))]
[JsonSerializable(typeof(OciSeccomp))]
public sealed partial class OciSpecJson : JsonSerializerContext
{
    public static byte[] Write(OciSpec spec) => JsonSerializer.SerializeToUtf8Bytes(spec, Default.OciSpec);

    public static byte[] Write(OciProcess process) => JsonSerializer.SerializeToUtf8Bytes(process, Default.OciProcess);

    public static byte[] Write(OciResources resources) =>
        JsonSerializer.SerializeToUtf8Bytes(resources, Default.OciResources);

    /// <param name="origin">Names the document in the fault: a path.</param>
    /// <exception cref="FaultException">InvalidArgument (<c>spec.invalid</c>): not JSON, or not a spec.</exception>
    public static OciSpec Read(ReadOnlySpan<byte> json, string origin) => Read(json, Default.OciSpec, origin);

    /// <inheritdoc cref="Read(ReadOnlySpan{byte}, string)"/>
    public static OciSeccomp ReadSeccomp(ReadOnlySpan<byte> json, string origin) => Read(json, Default.OciSeccomp, origin);

    /// <summary>The process of a document, with nothing read of all the rest; null where it has none.</summary>
    /// <inheritdoc cref="Read(ReadOnlySpan{byte}, string)"/>
    public static OciProcess? ReadProcess(ReadOnlySpan<byte> json, string origin)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw new JsonException("the document is no object");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("process"u8)) return JsonSerializer.Deserialize(ref reader, Default.OciProcess);
                reader.Skip();
            }
            return null;
        }
        catch (JsonException cause)
        {
            throw new FaultException(FaultKind.InvalidArgument, "spec.invalid", $"{origin}: {cause.Message}", cause);
        }
    }

    private static T Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type, string origin)
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw new JsonException("the document is null");
        }
        catch (JsonException cause)
        {
            throw new FaultException(FaultKind.InvalidArgument, "spec.invalid", $"{origin}: {cause.Message}", cause);
        }
    }
}
