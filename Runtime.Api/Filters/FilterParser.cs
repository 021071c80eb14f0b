using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Runtime.Faults;

namespace Runtime.Api.Filters;

/// <summary>Reads the grammar that <see cref="Filter"/> shows, left to right.</summary>
internal sealed class FilterParser(string text)
{
    private int _at;

    private char Next => _at < text.Length ? text[_at] : '\0';

    private bool AtEnd => _at == text.Length;

    public Filter Parse()
    {
        var conditions = ImmutableArray.CreateBuilder<Filter.Condition>();
        if (AtEnd) return new Filter([]);
        do
        {
            conditions.Add(Condition());
        }
        while (Take(','));
        if (!AtEnd) throw Malformed($"'{Next}' is unexpected");
        return new Filter(conditions.ToImmutable());
    }

    private Filter.Condition Condition()
    {
        var path = new List<string>();
        do
        {
            path.Add(Field());
        }
        while (Take('.'));
        if (AtEnd || Next == ',') return new([.. path], Filter.Operator.Present, "", null);
        var comparison = Comparison();
        var value = Value(comparison == Filter.Operator.Matches);
        return new([.. path], comparison, value, comparison == Filter.Operator.Matches ? Pattern(value) : null);
    }

    private string Field()
    {
        if (Next == '"') return Quoted();
        var start = _at;
        while (char.IsAsciiLetterOrDigit(Next) || Next == '_') _at++;
        if (_at == start) throw Malformed("a field name is missing");
        if (char.IsAsciiDigit(text[start])) throw Malformed("a field name cannot start with a digit");
        return text[start.._at];
    }

    private Filter.Operator Comparison()
    {
        var comparison = text.AsSpan(_at) switch
        {
            ['=', '=', ..] => Filter.Operator.Equal,
            ['!', '=', ..] => Filter.Operator.NotEqual,
            ['~', '=', ..] => Filter.Operator.Matches,
            _ => throw Malformed("one of ==, != and ~= is expected"),
        };
        _at += 2;
        return comparison;
    }

    private string Value(bool isPattern)
    {
        if (Next == '"') return Quoted();
        if (isPattern && Next is '/' or '|') return Delimited(Next);
        var start = _at;
        while (!AtEnd && Next != ',' && !char.IsWhiteSpace(Next)) _at++;
        return _at > start ? text[start.._at] : throw Malformed("a value is missing");
    }

    // Between delimiters only the delimiter itself is escaped: the rest belongs to the regular expression.
    private string Delimited(char delimiter)
    {
        var value = new StringBuilder();
        for (_at++; !AtEnd; _at++)
        {
            if (Next == delimiter)
            {
                _at++;
                return value.ToString();
            }
            if (Next == '\\' && _at + 1 < text.Length && text[_at + 1] == delimiter) _at++;
            value.Append(Next);
        }
        throw Malformed($"the closing {delimiter} is missing");
    }

    // As a Go string literal.
    private string Quoted()
    {
        var value = new StringBuilder();
        _at++;
        while (!AtEnd)
        {
            var c = text[_at++];
            if (c == '"') return value.ToString();
            if (c == '\\') Escape(value);
            else value.Append(c);
        }
        throw Malformed("the closing quote is missing");
    }

    private void Escape(StringBuilder value)
    {
        if (AtEnd) throw Malformed("the closing quote is missing");
        var c = text[_at++];
        switch (c)
        {
            case 'a': value.Append('\a'); break;
            case 'b': value.Append('\b'); break;
            case 'f': value.Append('\f'); break;
            case 'n': value.Append('\n'); break;
            case 'r': value.Append('\r'); break;
            case 't': value.Append('\t'); break;
            case 'v': value.Append('\v'); break;
            case '\\' or '"' or '\'': value.Append(c); break;
            case 'x': value.Append((char)Hex(2)); break;
            case 'u': value.Append((char)Hex(4)); break;
            case 'U': AppendRune(value, Hex(8)); break;
            default: throw Malformed($"the escape \\{c} is not known");
        }
    }

    private void AppendRune(StringBuilder value, uint code)
    {
        if (!Rune.TryCreate(code, out var rune)) throw Malformed("an escape is no Unicode character");
        value.Append(rune.ToString());
    }

    private uint Hex(int digits)
    {
        if (_at + digits > text.Length ||
            !uint.TryParse(text.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
            throw Malformed($"{digits} hexadecimal digits are expected");
        _at += digits;
        return code;
    }

    // Without backtracking, as Go's: a pattern from a client costs linear time.
    private Regex Pattern(string pattern)
    {
        try
        {
            return new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception refused) when (refused is ArgumentException or NotSupportedException)
        {
            throw Malformed($"the regular expression is not valid: {refused.Message}", refused);
        }
    }

    private bool Take(char c)
    {
        if (AtEnd || Next != c) return false;
        _at++;
        return true;
    }

    private FaultException Malformed(string what, Exception? cause = null) =>
        new(FaultKind.InvalidArgument, "filter.malformed", $"Filter \"{text}\", at {_at}: {what}.", cause);
}
