using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Runtime.Faults;

namespace Runtime.Api.Filters;

/// <summary>The value at a field path of the filtered object; null when there is no such field.</summary>
public delegate string? FieldReader(ReadOnlySpan<string> path);

/// <summary>containerd's filters: conditions that all hold, of which a list needs one to match.</summary>
/// <remarks>
/// <code>
/// filter    := condition ( ',' condition )*
/// condition := path ( ( '==' | '!=' | '~=' ) value )?      no operator: the field is there
/// path      := field ( '.' field )*                        field := quoted | [A-Za-z_][A-Za-z0-9_]*
/// value     := quoted | [^\s,]+                            after ~= also /regex/ and |regex|
/// </code>
/// </remarks>
public sealed class Filter
{
    private readonly ImmutableArray<Condition> _conditions;

    internal Filter(ImmutableArray<Condition> conditions) => _conditions = conditions;

    internal enum Operator
    {
        Present,
        Equal,
        NotEqual,
        Matches,
    }

    /// <exception cref="FaultException">InvalidArgument, saying where the filter is malformed.</exception>
    public static Filter Parse(string text) => new FilterParser(text).Parse();

    public bool Matches(FieldReader fields)
    {
        foreach (var condition in _conditions)
            if (!condition.Holds(fields)) return false;
        return true;
    }

    internal sealed record Condition(string[] Path, Operator Operator, string Value, Regex? Pattern)
    {
        // An absent field differs from every value: that is how containerd reads != as well.
        public bool Holds(FieldReader fields) => (Operator, fields(Path)) switch
        {
            (Operator.NotEqual, var value) => value != Value,
            (_, null) => false,
            (Operator.Present, _) => true,
            (Operator.Equal, var value) => value == Value,
            (_, var value) => Pattern!.IsMatch(value),
        };
    }
}
