using System.Globalization;
using Google.Protobuf;

namespace Runtime.Cli;

/// <summary>What commands print: plain aligned columns, as scripts and eyes are used to, or JSON.</summary>
internal static class Output
{
    private static readonly JsonFormatter Formatter =
        new(JsonFormatter.Settings.Default.WithFormatDefaultValues(true).WithIndentation());

    public static void Json(IMessage message) => Console.WriteLine(Formatter.Format(message));

    /// <summary>Columns as wide as their widest cell, two spaces between, nothing behind the last.</summary>
    public static void Table(string[] header, IEnumerable<string[]> rows)
    {
        var all = rows.Prepend(header).ToArray();
        var widths = Enumerable.Range(0, header.Length).Select(column => all.Max(row => row[column].Length)).ToArray();
        foreach (var row in all)
            Console.WriteLine(string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
    }

    /// <summary>As people say it: 13 characters of an id are enough to name it again.</summary>
    public static string ShortId(string id) => (id.StartsWith("sha256:", StringComparison.Ordinal) ? id[7..] : id) is { Length: > 13 } hex
        ? hex[..13]
        : id;

    /// <param name="nanoseconds">Since the epoch, as CRI counts.</param>
    public static string Age(long nanoseconds)
    {
        if (nanoseconds <= 0) return "-";
        var age = DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch.AddTicks(nanoseconds / 100);
        return age switch
        {
            { TotalSeconds: < 90 } => $"{Math.Max(0, (int)age.TotalSeconds)}s ago",
            { TotalMinutes: < 90 } => $"{(int)age.TotalMinutes}m ago",
            { TotalHours: < 48 } => $"{(int)age.TotalHours}h ago",
            _ => $"{(int)age.TotalDays}d ago",
        };
    }

    /// <summary>Bytes in binary units.</summary>
    public static string Size(ulong bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB"];
        var value = (double)bytes;
        var unit = 0;
        for (; value >= 1024 && unit < units.Length - 1; unit++) value /= 1024;
        return string.Create(CultureInfo.InvariantCulture, $"{value:0.#} {units[unit]}");
    }
}
