using System.Collections.Immutable;

namespace Runtime.Host.Configuration;

/// <summary>Typed values of a checked configuration; what a file leaves out has the default of its key.</summary>
public sealed class ConfigReader(ConfigTable root)
{
    private static readonly Dictionary<ConfigKey, ConfigEntry> Defaults = ConfigKeys.All
        .Where(key => key.Default is not null)
        .ToDictionary(key => key, key => ConfigParser.Parse($"value = {key.Default}\n", "default")["value"]!);

    public string Text(ConfigKey key, string? name = null) => (string)Entry(key, name).Value;

    public long Integer(ConfigKey key, string? name = null) => (long)Entry(key, name).Value;

    public bool Flag(ConfigKey key, string? name = null) => (bool)Entry(key, name).Value;

    public ImmutableArray<string> TextList(ConfigKey key, string? name = null) =>
        [.. ((List<ConfigEntry>)Entry(key, name).Value).Select(item => (string)item.Value)];

    public TimeSpan Duration(ConfigKey key) =>
        ConfigUnits.TryDuration(Entry(key, null).Value, out var duration) ? duration : throw Unchecked(key);

    public long Size(ConfigKey key) =>
        ConfigUnits.TrySize(Entry(key, null).Value, out var size) ? size : throw Unchecked(key);

    /// <summary>Names that the user gave under the table that holds <paramref name="key"/>'s <c>*</c>.</summary>
    public ImmutableArray<string> Names(ConfigKey key)
    {
        var star = Array.IndexOf(key.Path, "*");
        return root.Find(key.Path.AsSpan()[..star])?.Value is ConfigTable table ? [.. table.Entries.Keys] : [];
    }

    /// <summary>Where a key stands in the user's file; null for a default.</summary>
    public ConfigPosition? PositionOf(ConfigKey key, string? name = null) => Given(key, name)?.At;

    private ConfigEntry Entry(ConfigKey key, string? name) => Given(key, name) ?? Defaults[key];

    private ConfigEntry? Given(ConfigKey key, string? name) =>
        root.Find([.. key.Path.Select(segment => segment == "*" ? name! : segment)]);

    private static InvalidOperationException Unchecked(ConfigKey key) =>
        new($"{ConfigChecker.Show(key.Path)} was read before it was checked.");
}
