using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Runtime.Oci.Cdi;

/// <summary>
/// YAML as JSON, event by event: what JSON can say, and nothing more. No aliases, which can make a small file huge.
/// </summary>
internal static partial class YamlJson
{
    private const int DepthMax = 64;

    /// <exception cref="JsonException">It is no such YAML.</exception>
    public static byte[] Convert(string yaml)
    {
        using var json = new MemoryStream();
        try
        {
            using var writer = new Utf8JsonWriter(json, new JsonWriterOptions { MaxDepth = DepthMax });
            Write(new Parser(new StringReader(yaml)), writer);
        }
        catch (YamlException malformed)
        {
            throw new JsonException(malformed.Message, malformed);
        }
        catch (InvalidOperationException nested)
        {
            throw new JsonException(nested.Message, nested);
        }
        return json.ToArray();
    }

    private static void Write(Parser parser, Utf8JsonWriter writer)
    {
        // For each open mapping: whether its next scalar is a key. Sequences have none.
        var open = new Stack<(bool IsMapping, bool WantsKey)>();
        var documents = 0;
        while (parser.MoveNext())
        {
            switch (parser.Current)
            {
                case DocumentStart when ++documents > 1:
                    throw new JsonException("there is more than one document");
                case AnchorAlias:
                    throw new JsonException("aliases are not supported");
                case MappingStart or SequenceStart when open.TryPeek(out var above) && above is { IsMapping: true, WantsKey: true }:
                    throw new JsonException("a key is no text");
                case MappingStart:
                    writer.WriteStartObject();
                    open.Push((true, true));
                    break;
                case SequenceStart:
                    writer.WriteStartArray();
                    open.Push((false, false));
                    break;
                case MappingEnd:
                    writer.WriteEndObject();
                    open.Pop();
                    Valued(open);
                    break;
                case SequenceEnd:
                    writer.WriteEndArray();
                    open.Pop();
                    Valued(open);
                    break;
                case Scalar key when open.TryPeek(out var at) && at is { IsMapping: true, WantsKey: true }:
                    writer.WritePropertyName(key.Value);
                    open.Pop();
                    open.Push((true, false));
                    break;
                case Scalar value:
                    Write(value, writer);
                    Valued(open);
                    break;
            }
        }
        if (documents == 0) writer.WriteNullValue();
    }

    private static void Valued(Stack<(bool IsMapping, bool WantsKey)> open)
    {
        if (open.TryPop(out var at)) open.Push((at.IsMapping, at.IsMapping));
    }

    /// <summary>As YAML 1.1 and 1.2 read a plain scalar, of which the numbers are whole ones here.</summary>
    private static void Write(Scalar scalar, Utf8JsonWriter writer)
    {
        var text = scalar.Value;
        if (scalar.Style != ScalarStyle.Plain) writer.WriteStringValue(text);
        else if (text is "" or "~" or "null" or "Null" or "NULL") writer.WriteNullValue();
        else if (text is "true" or "True" or "TRUE") writer.WriteBooleanValue(true);
        else if (text is "false" or "False" or "FALSE") writer.WriteBooleanValue(false);
        else if (WholeNumber().Match(text) is { Success: true } number) WriteNumber(number, text, writer);
        else writer.WriteStringValue(text);
    }

    private static void WriteNumber(Match number, string text, Utf8JsonWriter writer)
    {
        try
        {
            if (number.Groups["octal"] is { Success: true } octal) writer.WriteNumberValue(System.Convert.ToUInt64(octal.Value, 8));
            else if (number.Groups["hex"] is { Success: true } hex) writer.WriteNumberValue(System.Convert.ToUInt64(hex.Value, 16));
            else writer.WriteNumberValue(long.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
        }
        catch (OverflowException)
        {
            writer.WriteStringValue(text); // more digits than a number has
        }
    }

    [GeneratedRegex("^(?:0o?(?<octal>[0-7]+)|0x(?<hex>[0-9a-fA-F]+)|[-+]?(?:0|[1-9][0-9]*))$", RegexOptions.ExplicitCapture)]
    private static partial Regex WholeNumber();
}
