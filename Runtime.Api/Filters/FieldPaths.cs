namespace Runtime.Api.Filters;

/// <summary>Reads the parts of field paths that several kinds of objects have.</summary>
public static class FieldPaths
{
    /// <summary>A label: its key is the rest of the path, because an unquoted key may hold dots.</summary>
    public static string? Label(IReadOnlyDictionary<string, string> labels, ReadOnlySpan<string> path)
    {
        if (path.Length < 2) return null;
        var key = path.Length == 2 ? path[1] : string.Join('.', path[1..]!);
        return labels.GetValueOrDefault(key);
    }

    /// <summary>containerd has no empty values: an empty string is an absent field.</summary>
    public static string? Value(string value) => value.Length > 0 ? value : null;
}
