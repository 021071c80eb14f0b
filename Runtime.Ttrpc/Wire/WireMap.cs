using System.Collections.Immutable;

namespace Runtime.Ttrpc.Wire;

/// <summary>Fields of type <c>map&lt;string, string&gt;</c> and <c>repeated string</c>.</summary>
public static class WireMap
{
    public static ImmutableSortedDictionary<string, string>.Builder Builder() =>
        ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);

    /// <summary>Adds the entry that the reader is at; the last one of a key wins.</summary>
    public static void Entry(this ImmutableSortedDictionary<string, string>.Builder map, ref WireReader reader)
    {
        var (key, value) = reader.Entry();
        map[key] = value;
    }

    public static void Strings(this WireWriter writer, int field, ImmutableArray<string> values)
    {
        foreach (var value in values.IsDefault ? [] : values)
            writer.StringAlways(field, value);
    }
}
