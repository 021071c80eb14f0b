namespace Runtime.Oci.Images;

/// <summary>Hostile text made fit for a message: short, and without control characters.</summary>
internal static class Shown
{
    private const int MaxLength = 128;

    public static string Of(string? text)
    {
        if (text is null) return "";
        var cut = text.Length > MaxLength ? string.Concat(text.AsSpan(0, MaxLength), "...") : text;
        return string.Create(cut.Length, cut, static (into, from) =>
        {
            for (var i = 0; i < into.Length; i++) into[i] = char.IsControl(from[i]) ? '?' : from[i];
        });
    }
}
