using System.Diagnostics.CodeAnalysis;
using Runtime.Faults;

namespace Runtime.Cri.Mapping;

/// <summary>Refuses what cannot be meant, before anything is stored. Every failure is InvalidArgument and names the field.</summary>
internal static class RequestCheck
{
    /// <summary>Longer than any id of a client; beyond it nothing can match.</summary>
    private const int IdLengthMax = 256;

    public static T Present<T>([NotNull] T? message, string field)
        where T : class => message ?? throw Missing(field);

    public static string NotEmpty(string value, string field) => value.Length > 0 ? OneLine(value, field) : throw Missing(field);

    /// <summary>An id or the start of one: letters, digits, '-', '_' and '.'.</summary>
    public static string Id(string value, string field)
    {
        if (value.Length == 0) throw Missing(field);
        if (value.Length > IdLengthMax) throw Invalid(field, value[..16] + "...", $"is longer than {IdLengthMax} characters");
        foreach (var c in value)
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')) throw Invalid(field, value, "is not an id");
        return value;
    }

    /// <summary>Text that goes into files and arguments where a line break or NUL would end it.</summary>
    public static string OneLine(string value, string field)
    {
        foreach (var c in value)
            if (c is '\n' or '\r' or '\0') throw Invalid(field, value, "holds a line break or NUL");
        return value;
    }

    /// <summary>Text that may hold anything but NUL, which the kernel's interfaces end strings with.</summary>
    public static string NoNul(string value, string field) =>
        value.Contains('\0', StringComparison.Ordinal) ? throw Invalid(field, value, "holds NUL") : value;

    public static string AbsolutePath(string value, string field) =>
        value.StartsWith('/') ? NoNul(value, field) : throw Invalid(field, value, "must be an absolute path");

    /// <summary>A path that does not climb out of the directory it will be joined to.</summary>
    public static string Contained(string value, string field)
    {
        foreach (var part in NoNul(value, field).AsSpan().Split('/'))
            if (value.AsSpan(part) is "..") throw Invalid(field, value, "must not contain ..");
        return value;
    }

    public static int InRange(int value, int min, int max, string field) =>
        value >= min && value <= max ? value : throw Invalid(field, value.ToString(Invariant), $"must be {min} to {max}");

    public static long InRange(long value, long min, long max, string field) =>
        value >= min && value <= max ? value : throw Invalid(field, value.ToString(Invariant), $"must be {min} to {max}");

    public static long NotNegative(long value, string field) =>
        value >= 0 ? value : throw Invalid(field, value.ToString(Invariant), "must not be negative");

    public static FaultException Missing(string field) =>
        new(FaultKind.InvalidArgument, "request.missing-field", $"{field} is required.");

    public static FaultException Invalid(string field, string value, string why) =>
        new(FaultKind.InvalidArgument, "request.invalid-field", $"{field} \"{Printable(value)}\" {why}.");

    public static FaultException UnknownEnum<T>(T value, string field)
        where T : struct, Enum => Invalid(field, value.ToString(), "is not a value that we know");

    private static System.Globalization.CultureInfo Invariant => System.Globalization.CultureInfo.InvariantCulture;

    // The message goes into a header and a log: what would break a line is shown as '?', what is long is cut.
    private static string Printable(string value)
    {
        var shown = value.Length > 128 ? value[..128] + "..." : value;
        return string.Create(shown.Length, shown, static (into, from) =>
        {
            for (var i = 0; i < from.Length; i++) into[i] = char.IsControl(from[i]) ? '?' : from[i];
        });
    }
}
