using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Runtime.Faults;

namespace Runtime.Actors.Network;

/// <summary>What a template can name.</summary>
/// <param name="PodCidr"><c>.PodCIDR</c>: the first of the ranges.</param>
/// <param name="PodCidrRanges"><c>.PodCIDRRanges</c>.</param>
/// <param name="Routes"><c>.Routes</c>: to everywhere, in each family of the ranges.</param>
internal sealed record CniTemplateData(string PodCidr, ImmutableArray<string> PodCidrRanges, ImmutableArray<string> Routes);

/// <summary>
/// CNI configuration as containerd's <c>conf_template</c> writes it: the part of Go's text/template that such files use.
/// </summary>
/// <remarks>
/// <code>
/// {{.PodCIDR}} {{$name}} {{.}}                    a value
/// {{index .PodCIDRRanges 0}} {{len .Routes}}      one of a list, and how many
/// {{range [$index, ][$value := ]LIST}} … {{else}} … {{end}}
/// {{if VALUE}} … {{else}} … {{end}}               0, "" and an empty list are false
/// {{- and -}}                                     swallow the space beside them
/// {{/* comment */}}
/// </code>
/// </remarks>
internal sealed class CniTemplate
{
    private readonly string _source;
    private readonly List<(string Text, bool IsAction)> _parts = [];
    private readonly StringBuilder _written = new();
    private readonly CniTemplateData _data;
    private int _next;

    private CniTemplate(string template, string source, CniTemplateData data)
    {
        _source = source;
        _data = data;
        Split(template);
    }

    /// <param name="source">The file, for messages.</param>
    /// <exception cref="FaultException">FailedPrecondition <c>cni.invalid-template</c>, naming what is not understood.</exception>
    public static string Render(string template, string source, CniTemplateData data)
    {
        var rendering = new CniTemplate(template, source, data);
        var end = rendering.Block(data, ImmutableDictionary<string, object>.Empty.Add("$", data), shown: true);
        return end.Length == 0 ? rendering._written.ToString() : throw rendering.Invalid($"{{{{{end}}}}} ends nothing");
    }

    private void Split(string template)
    {
        var at = 0;
        while (template.IndexOf("{{", at, StringComparison.Ordinal) is var open and >= 0)
        {
            var isComment = template.AsSpan(open).StartsWith("{{/*", StringComparison.Ordinal) || template.AsSpan(open).StartsWith("{{- /*", StringComparison.Ordinal);
            var body = isComment ? template.IndexOf("*/", open, StringComparison.Ordinal) : open;
            var close = body < 0 ? -1 : template.IndexOf("}}", body, StringComparison.Ordinal);
            if (close < 0) throw Invalid("an action is not closed");
            var action = template[(open + 2)..close];
            var before = template[at..open];
            at = close + 2;
            if (action.StartsWith("- ", StringComparison.Ordinal)) (action, before) = (action[2..], before.TrimEnd());
            if (action.EndsWith(" -", StringComparison.Ordinal))
            {
                action = action[..^2];
                while (at < template.Length && char.IsWhiteSpace(template[at])) at++;
            }
            _parts.Add((before, false));
            if (!isComment) _parts.Add((action.Trim(), true));
        }
        _parts.Add((template[at..], false));
    }

    /// <summary>Writes up to the action that ends the block, and answers that: end, else, or nothing at the end of the file.</summary>
    private string Block(object dot, ImmutableDictionary<string, object> variables, bool shown)
    {
        while (_next < _parts.Count)
        {
            var (text, isAction) = _parts[_next++];
            if (!isAction) Write(text, shown);
            else if (text is "end" or "else") return text;
            else if (text.StartsWith("range ", StringComparison.Ordinal)) Range(text[6..], dot, variables, shown);
            else if (text.StartsWith("if ", StringComparison.Ordinal)) If(text[3..], dot, variables, shown);
            else if (shown) Write(Shown(Value(text, dot, variables)), shown);
        }
        return "";
    }

    private void If(string condition, object dot, ImmutableDictionary<string, object> variables, bool shown)
    {
        var holds = shown && IsTrue(Value(condition, dot, variables));
        var end = Block(dot, variables, shown && holds);
        if (end == "else") end = Block(dot, variables, shown && !holds);
        if (end != "end") throw Invalid($"{{{{if {condition}}}}} has no {{{{end}}}}");
    }

    private void Range(string header, object dot, ImmutableDictionary<string, object> variables, bool shown)
    {
        var (names, list) = header.Split(":=", 2, StringSplitOptions.TrimEntries) is [var named, var given]
            ? (named.Split(',', StringSplitOptions.TrimEntries), given)
            : ([], header.Trim());
        if (names.Length > 2 || names.Any(name => name.Length < 2 || name[0] != '$')) throw Invalid($"{{{{range {header}}}}} is not understood");
        var items = shown ? ListOf(list, dot, variables) : [];
        var body = _next;
        for (var i = 0; i < Math.Max(1, items.Length); i++)
        {
            _next = body;
            var isItem = i < items.Length;
            var inside = variables;
            if (names.Length == 2) inside = inside.SetItem(names[0], i);
            if (names.Length > 0) inside = inside.SetItem(names[^1], isItem ? items[i] : "");
            var end = Block(isItem ? items[i] : dot, inside, shown && isItem);
            if (end == "else") end = Block(dot, variables, shown && items.IsEmpty);
            if (end != "end") throw Invalid($"{{{{range {header}}}}} has no {{{{end}}}}");
        }
    }

    private object Value(string expression, object dot, ImmutableDictionary<string, object> variables)
    {
        var words = expression.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        switch (words)
        {
            case ["index", var list, var position]:
                var items = ListOf(list, dot, variables);
                return int.TryParse(position, NumberStyles.None, CultureInfo.InvariantCulture, out var at) && at < items.Length
                    ? items[at]
                    : throw Invalid($"{{{{{expression}}}}}: there are {items.Length}");
            case ["len", var list]:
                return ListOf(list, dot, variables).Length;
            case ["."]:
                return dot;
            case [['$', .. var rest] name] when !rest.Contains('.', StringComparison.Ordinal):
                return variables.TryGetValue(name, out var found) ? found : throw Invalid($"{{{{{expression}}}}} names no variable");
            case [".PodCIDR"] when dot is CniTemplateData:
            case ["$.PodCIDR"]:
                return _data.PodCidr;
            case [".PodCIDRRanges"] when dot is CniTemplateData:
            case ["$.PodCIDRRanges"]:
                return _data.PodCidrRanges;
            case [".Routes"] when dot is CniTemplateData:
            case ["$.Routes"]:
                return _data.Routes;
            default:
                throw Invalid($"{{{{{expression}}}}} is not understood");
        }
    }

    private ImmutableArray<string> ListOf(string expression, object dot, ImmutableDictionary<string, object> variables) =>
        Value(expression, dot, variables) is ImmutableArray<string> list ? list : throw Invalid($"{expression} is no list");

    private string Shown(object value) => value switch
    {
        string text => text,
        int number => number.ToString(CultureInfo.InvariantCulture),
        ImmutableArray<string> list => $"[{string.Join(' ', list)}]", // as Go prints one
        _ => throw Invalid("the whole data cannot be shown"),
    };

    private static bool IsTrue(object value) => value switch
    {
        string text => text.Length > 0,
        int number => number != 0,
        ImmutableArray<string> list => !list.IsEmpty,
        _ => true,
    };

    private void Write(string text, bool shown)
    {
        if (shown) _written.Append(text);
    }

    private FaultException Invalid(string what) => new(
        FaultKind.FailedPrecondition, "cni.invalid-template", $"The template of the CNI configuration {_source} cannot be used: {what}.");
}
