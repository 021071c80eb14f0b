using Tomlyn.Parsing;
using Tomlyn.Syntax;

namespace Runtime.Oci.Registry;

/// <summary>
/// TOML as nested lists of pairs, because the order of hosts in hosts.toml is their order of trial. Values are string, long,
/// double, bool, <see cref="TomlTree"/> or a list of those.
/// </summary>
internal sealed class TomlTree
{
    private readonly List<KeyValuePair<string, object>> _entries = [];

    public IReadOnlyList<KeyValuePair<string, object>> Entries => _entries;

    /// <exception cref="FormatException">Not TOML; the message has line and column.</exception>
    public static TomlTree Parse(string text, string file)
    {
        var document = SyntaxParser.Parse(text, file, true);
        if (document.HasErrors)
        {
            var problem = document.Diagnostics.First(found => found.Kind is DiagnosticMessageKind.Error);
            throw new FormatException(
                $"line {problem.Span.Start.Line + 1}, column {problem.Span.Start.Column + 1}: {problem.Message}");
        }
        var root = new TomlTree();
        root.Fill(document.KeyValues);
        foreach (var table in document.Tables)
        {
            if (table is TableArraySyntax) throw new FormatException($"line {table.Span.Start.Line + 1}: arrays of tables have no meaning here.");
            root.Descend(Names(table.Name!)).Fill(table.Items);
        }
        return root;
    }

    public object? Find(string name) => _entries.FirstOrDefault(entry => entry.Key == name).Value;

    private void Fill(SyntaxList<KeyValueSyntax> items)
    {
        foreach (var item in items) Add(item);
    }

    private void Add(KeyValueSyntax item)
    {
        var names = Names(item.Key!);
        var table = Descend(names.AsSpan()[..^1]);
        if (table.Find(names[^1]) is not null) throw new FormatException($"line {item.Span.Start.Line + 1}: {names[^1]} stands twice.");
        table._entries.Add(new(names[^1], ValueOf(item.Value!)));
    }

    private TomlTree Descend(ReadOnlySpan<string> names)
    {
        var table = this;
        foreach (var name in names)
        {
            if (table.Find(name) is not { } found) table._entries.Add(new(name, found = new TomlTree()));
            table = found as TomlTree ?? throw new FormatException($"{name} is a value and cannot be a table as well.");
        }
        return table;
    }

    private static object ValueOf(ValueSyntax value)
    {
        switch (value)
        {
            case StringValueSyntax text: return text.Value ?? "";
            case IntegerValueSyntax number: return number.Value;
            case FloatValueSyntax real: return real.Value;
            case BooleanValueSyntax flag: return flag.Value;
            case ArraySyntax array: return array.Items.Select(item => ValueOf(item.Value!)).ToList();
            case InlineTableSyntax inline:
                var table = new TomlTree();
                foreach (var item in inline.Items) table.Add(item.KeyValue!);
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
}
