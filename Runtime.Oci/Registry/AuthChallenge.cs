using System.Collections.Immutable;

namespace Runtime.Oci.Registry;

/// <summary>One challenge of a WWW-Authenticate header (RFC 9110, section 11.6.1).</summary>
/// <param name="Scheme">Lower case: <c>bearer</c>, <c>basic</c>.</param>
/// <param name="Parameters">Names are lower case.</param>
internal sealed record AuthChallenge(string Scheme, ImmutableDictionary<string, string> Parameters)
{
    /// <summary>A header longer than this is refused unread.</summary>
    private const int MaxLength = 16 * 1024;

    public string? this[string name] => Parameters.GetValueOrDefault(name);

    /// <summary>
    /// The challenges of all values, in their order. What cannot be read ends its value: a later challenge there is lost, which
    /// at worst means an anonymous request.
    /// </summary>
    /// <remarks><code>
    /// value     := challenge *( "," challenge )
    /// challenge := scheme [ 1*SP param *( "," param ) ]
    /// param     := token "=" ( token | quoted )
    /// </code></remarks>
    public static ImmutableArray<AuthChallenge> Parse(IEnumerable<string> values)
    {
        var challenges = ImmutableArray.CreateBuilder<AuthChallenge>();
        foreach (var value in values.Where(value => value.Length <= MaxLength)) Read(value, challenges);
        return challenges.ToImmutable();
    }

    private static void Read(ReadOnlySpan<char> rest, ImmutableArray<AuthChallenge>.Builder challenges)
    {
        AuthChallenge? open = null;
        while (true)
        {
            rest = rest.TrimStart(" \t,");
            var name = Token(ref rest);
            if (name.Length == 0) break;
            var after = rest.TrimStart(" \t");
            if (open is not null && after is ['=', ..])
            {
                rest = after[1..].TrimStart(" \t");
                if (Value(ref rest) is not { } value) break;
                open = open with { Parameters = open.Parameters.SetItem(name.ToLowerInvariant(), value) };
                continue;
            }
            if (open is not null) challenges.Add(open);
            open = new AuthChallenge(name.ToLowerInvariant(), ImmutableDictionary<string, string>.Empty);
        }
        if (open is not null) challenges.Add(open);
    }

    private static string Token(ref ReadOnlySpan<char> rest)
    {
        var end = 0;
        while (end < rest.Length && (char.IsAsciiLetterOrDigit(rest[end]) || "!#$%&'*+-.^_`|~".Contains(rest[end]))) end++;
        var token = rest[..end].ToString();
        rest = rest[end..];
        return token;
    }

    private static string? Value(ref ReadOnlySpan<char> rest)
    {
        if (rest is not ['"', ..])
        {
            // Some servers leave the quotes out even of URLs.
            var end = rest.IndexOfAny(" \t,") is var found and >= 0 ? found : rest.Length;
            var bare = rest[..end].ToString();
            rest = rest[end..];
            return bare;
        }
        var text = new System.Text.StringBuilder();
        for (var i = 1; i < rest.Length; i++)
        {
            switch (rest[i])
            {
                case '"':
                    rest = rest[(i + 1)..];
                    return text.ToString();
                case '\\' when i + 1 < rest.Length:
                    text.Append(rest[++i]);
                    break;
                default:
                    text.Append(rest[i]);
                    break;
            }
        }
        return null;
    }
}
