namespace Runtime.Host.Configuration;

/// <summary>Where a value stands: counted from 1, as editors do.</summary>
public readonly record struct ConfigPosition(string File, int Line, int Column)
{
    public override string ToString() => $"{File}:{Line}:{Column}";
}

/// <summary>One value with its place.</summary>
/// <param name="Value">string, long, double, bool, <see cref="ConfigTable"/>, or a list of <see cref="ConfigEntry"/>.</param>
public sealed record ConfigEntry(object Value, ConfigPosition At);

/// <summary>A TOML table that remembers where each key stands.</summary>
public sealed class ConfigTable
{
    private readonly Dictionary<string, ConfigEntry> _entries = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, ConfigEntry> Entries => _entries;

    public ConfigEntry? this[string key] => _entries.GetValueOrDefault(key);

    public void Set(string key, ConfigEntry entry) => _entries[key] = entry;

    /// <summary>Takes a value out, for a migration that puts it elsewhere.</summary>
    public ConfigEntry? Take(string key) => _entries.Remove(key, out var entry) ? entry : null;

    /// <summary>The table under a key, made when it is not there; null when something else is.</summary>
    public ConfigTable? Sub(string key, ConfigPosition at)
    {
        if (!_entries.TryGetValue(key, out var entry)) _entries[key] = entry = new ConfigEntry(new ConfigTable(), at);
        return entry.Value as ConfigTable;
    }

    public ConfigTable? Table(string key) => this[key]?.Value as ConfigTable;

    public ConfigEntry? Find(ReadOnlySpan<string> path)
    {
        var table = this;
        foreach (var name in path[..^1])
        {
            if (table.Table(name) is not { } inner) return null;
            table = inner;
        }
        return table[path[^1]];
    }

    /// <summary>Puts <paramref name="later"/> over this: tables merge, lists grow, everything else is replaced.</summary>
    public void Merge(ConfigTable later)
    {
        foreach (var (key, theirs) in later._entries)
        {
            if (!_entries.TryGetValue(key, out var ours)) _entries[key] = theirs;
            else if (ours.Value is ConfigTable into && theirs.Value is ConfigTable from) into.Merge(from);
            else if (ours.Value is List<ConfigEntry> list && theirs.Value is List<ConfigEntry> more)
                _entries[key] = theirs with { Value = Union(list, more) };
            else _entries[key] = theirs;
        }
    }

    private static List<ConfigEntry> Union(List<ConfigEntry> first, List<ConfigEntry> second) =>
        [.. first, .. second.Where(entry => !first.Exists(known => Equals(known.Value, entry.Value)))];
}
