using System.Globalization;

namespace Runtime.Bench;

/// <summary>What every benchmark prints: percentiles, and a table with the ratio of the first target to each other.</summary>
internal static class Statistics
{
    public static double Percentile(IEnumerable<double> values, double percent)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? double.NaN : sorted[(int)Math.Clamp(Math.Ceiling(percent / 100 * sorted.Length) - 1, 0, sorted.Length - 1)];
    }

    public static void PrintTable(string[] targets, (string Title, string Unit, double[] Values)[] rows)
    {
        var header = new List<string> { "figure", "unit" };
        header.AddRange(targets);
        header.AddRange(targets.Skip(1).Select(other => $"{targets[0]} : {other}"));
        Console.WriteLine($"| {string.Join(" | ", header)} |");
        Console.WriteLine($"| {string.Join(" | ", header.Select(_ => "---"))} |");
        foreach (var (title, unit, values) in rows)
        {
            var cells = new List<string> { title, unit };
            cells.AddRange(values.Select(value => value.ToString("0.##", CultureInfo.InvariantCulture)));
            cells.AddRange(values.Skip(1).Select(other => (values[0] / other).ToString("0.00", CultureInfo.InvariantCulture)));
            Console.WriteLine($"| {string.Join(" | ", cells)} |");
        }
    }
}
