using Tomlyn.Parsing;
using Tomlyn.Syntax;

namespace Runtime.Host.Configuration;

/// <summary>TOML text to a <see cref="ConfigTable"/>. The syntax tree is used, not a mapping: it keeps every position.</summary>
public static class ConfigParser
{
    /// <exception cref="ConfigException">The text is not TOML.</exception>
    public static ConfigTable Parse(string text, string file)
    {
        var document = SyntaxParser.Parse(text, file, true);
        if (document.HasErrors)
        {
            throw new ConfigException([.. document.Diagnostics
                .Where(problem => problem.Kind is DiagnosticMessageKind.Error)
                .Select(problem => new ConfigFinding(ConfigSeverity.Error, PositionOf(problem.Span, file), problem.Message))]);
        }

        var root = new ConfigTable();
        Fill(root, document.KeyValues, file);
        foreach (var table in document.Tables)
        {
            var at = PositionOf(table.Span, file);
            if (table is TableArraySyntax)
                throw new ConfigException([new(ConfigSeverity.Error, at, "Arrays of tables are not used in this file.")]);
            var names = Names(table.Name!);
            Fill(Descend(root, names, at), table.Items, file);
        }
        return root;
    }

    private static void Fill(ConfigTable table, SyntaxList<KeyValueSyntax> items, string file)
    {
        foreach (var item in items) Add(table, item, file);
    }

    private static void Add(ConfigTable table, KeyValueSyntax item, string file)
    {
        var names = Names(item.Key!);
        var at = PositionOf(item.Span, file);
        Descend(table, names.AsSpan()[..^1], at).Set(names[^1], new ConfigEntry(ValueOf(item.Value!, file), at));
    }

    private static ConfigTable Descend(ConfigTable table, ReadOnlySpan<string> names, ConfigPosition at)
    {
        foreach (var name in names)
        {
            table = table.Sub(name, at)
                ?? throw new ConfigException([new(ConfigSeverity.Error, at, $"\"{name}\" is a value, not a table.")]);
        }
        return table;
    }

    private static object ValueOf(ValueSyntax value, string file)
    {
        switch (value)
        {
            case StringValueSyntax text: return text.Value ?? "";
            case IntegerValueSyntax number: return number.Value;
            case FloatValueSyntax real: return real.Value;
            case BooleanValueSyntax flag: return flag.Value;
            case ArraySyntax array:
                return array.Items
                    .Select(item => new ConfigEntry(ValueOf(item.Value!, file), PositionOf(item.Value!.Span, file))).ToList();
            case InlineTableSyntax inline:
                var table = new ConfigTable();
                foreach (var item in inline.Items) Add(table, item.KeyValue!, file);
                return table;
            default: return value.ToString().Trim();
        }
    }

    private static string[] Names(KeySyntax key) => [NameOf(key.Key!), .. key.DotKeys.Select(dotted => NameOf(dotted.Key!))];

    private static string NameOf(BareKeyOrStringValueSyntax name) => name switch
    {
        StringValueSyntax quoted => quoted.Value ?? "",
        BareKeySyntax bare => bare.Key?.Text ?? "",
        _ => name.ToString().Trim(),
    };

    // The parser counts lines and columns from 0.
    private static ConfigPosition PositionOf(SourceSpan span, string file) =>
        new(file, span.Start.Line + 1, span.Start.Column + 1);
}
