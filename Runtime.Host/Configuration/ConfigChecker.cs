namespace Runtime.Host.Configuration;

/// <summary>Compares a configuration with <see cref="ConfigKeys"/>: unknown keys, keys without effect, wrong types.</summary>
public static class ConfigChecker
{
    public static IReadOnlyList<ConfigFinding> Check(ConfigTable root)
    {
        var findings = new List<ConfigFinding>();
        Check(root, [], findings);
        return findings;
    }

    private static void Check(ConfigTable table, string[] above, List<ConfigFinding> findings)
    {
        foreach (var (name, entry) in table.Entries)
        {
            string[] path = [.. above, name];
            var key = ConfigKeys.All.FirstOrDefault(known => known.Matches(path));
            if (key is not null)
            {
                CheckType(key, path, entry, findings);
                if (!key.InUse) Warn(entry, $"{Show(path)} has no effect in this version.");
            }
            else if (ConfigKeys.All.Any(known => known.Path.Length > path.Length && known.StartsWith(path)))
            {
                if (entry.Value is ConfigTable inner) Check(inner, path, findings);
                else findings.Add(new(ConfigSeverity.Error, entry.At, $"{Show(path)} must be a table, not {Describe(entry.Value)}."));
            }
            else if (path is ["plugins", var plugin] && plugin.StartsWith("io.containerd.", StringComparison.Ordinal))
            {
                Warn(entry, $"{Show(path)} configures a plugin that actord does not have; it has no effect.");
            }
            else
            {
                var nearest = Nearest(path);
                Warn(entry, $"{Show(path)} is not known{(nearest is null ? "" : $"; did you mean {nearest}?")}");
            }
        }

        void Warn(ConfigEntry entry, string message) => findings.Add(new(ConfigSeverity.Warning, entry.At, message));
    }

    private static void CheckType(ConfigKey key, string[] path, ConfigEntry entry, List<ConfigFinding> findings)
    {
        var problem = key.Type switch
        {
            ConfigType.Text => entry.Value is string ? null : "text in quotes",
            ConfigType.Integer => entry.Value is long ? null : "a whole number",
            ConfigType.Flag => entry.Value is bool ? null : "true or false",
            ConfigType.TextList => entry.Value is List<ConfigEntry> list && list.TrueForAll(item => item.Value is string) ? null : "a list of texts",
            ConfigType.Duration => ConfigUnits.TryDuration(entry.Value, out _) ? null : "seconds, or a duration such as \"5m\"",
            ConfigType.Size => ConfigUnits.TrySize(entry.Value, out _) ? null : "bytes, or a size such as \"16Mi\"",
            _ => null,
        };
        if (problem is not null)
            findings.Add(new(ConfigSeverity.Error, entry.At, $"{Show(path)} must be {problem}, not {Describe(entry.Value)}."));
    }

    /// <summary>A path as one writes it in the file: names with dots are quoted.</summary>
    public static string Show(IEnumerable<string> path) =>
        string.Join('.', path.Select(name => name.Contains('.') || name.Contains('/') ? $"\"{name}\"" : name));

    private static string Describe(object value) => value switch
    {
        string text => $"the text \"{text}\"",
        bool flag => flag ? "true" : "false",
        ConfigTable => "a table",
        List<ConfigEntry> => "a list",
        _ => $"{value}",
    };

    // The nearest key of the same table, when it is near enough to be a slip of the finger.
    private static string? Nearest(string[] path)
    {
        var best = ConfigKeys.All
            .Where(key => key.Path.Length >= path.Length && key.StartsWith(path.AsSpan()[..^1]))
            .Select(key => key.Path[path.Length - 1])
            .Where(name => name != "*")
            .Distinct()
            .Select(name => (Name: name, Distance: Distance(name, path[^1])))
            .OrderBy(candidate => candidate.Distance)
            .FirstOrDefault();
        return best.Name is not null && best.Distance <= Math.Max(2, path[^1].Length / 3) ? best.Name : null;
    }

    // Levenshtein's distance; keys are short, so the plain table will do.
    private static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(above, row[j - 1]) + 1, diagonal + (left[i - 1] == right[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }
        return row[^1];
    }
}
