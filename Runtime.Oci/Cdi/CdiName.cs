namespace Runtime.Oci.Cdi;

/// <summary>A device's full name, <c>vendor/class=device</c>.</summary>
public readonly record struct CdiName(string Kind, string Device)
{
    /// <summary>Null where it is not one.</summary>
    public static CdiName? TryParse(string text) =>
        text.IndexOf('=') is > 0 and var equals && IsKind(text[..equals]) && IsDevice(text[(equals + 1)..])
            ? new CdiName(text[..equals], text[(equals + 1)..])
            : null;

    /// <summary>Vendor: a name like a host's; class: letters, digits, - and _.</summary>
    internal static bool IsKind(string kind) =>
        kind.Split('/') is [var vendor, var group] && IsWord(vendor, "-_.", mustBeginWithLetter: true) && IsWord(group, "-_", mustBeginWithLetter: true);

    internal static bool IsDevice(string name) => IsWord(name, "-_.:", mustBeginWithLetter: false);

    public override string ToString() => $"{Kind}={Device}";

    private static bool IsWord(string word, string between, bool mustBeginWithLetter) =>
        word.Length > 0
        && (mustBeginWithLetter ? char.IsAsciiLetter(word[0]) : char.IsAsciiLetterOrDigit(word[0]))
        && char.IsAsciiLetterOrDigit(word[^1])
        && word.All(letter => char.IsAsciiLetterOrDigit(letter) || between.Contains(letter));
}
