using Microsoft.Extensions.FileSystemGlobbing;

namespace Runtime.Host.Configuration;

/// <summary>A configuration, with what is odd about it.</summary>
/// <param name="Tree">The effective tables, after imports and migrations.</param>
/// <param name="Warnings">To be logged at start: unknown keys and keys without effect.</param>
public sealed record LoadedConfig(ActordConfig Config, ConfigTable Tree, IReadOnlyList<ConfigFinding> Warnings);

/// <summary>Reads configuration files: parse, import, migrate, check, bind.</summary>
public static class ConfigLoader
{
    public const string DefaultPath = "/etc/actord/config.toml";

    /// <summary>Sized for a hand-written tree of imports; a cycle ends at a file that was read before.</summary>
    private const int FilesMax = 256;

    /// <summary>Loads a file; without one, the defaults (or <see cref="DefaultPath"/> where it exists).</summary>
    /// <exception cref="ConfigException">The configuration cannot be used: every error with file, line and column.</exception>
    public static LoadedConfig Load(string? path)
    {
        var file = path ?? DefaultPath;
        if (path is null && !File.Exists(file)) return Bind(new ConfigTable(), "defaults");
        var tree = new ConfigTable();
        Read(Path.GetFullPath(file), tree, []);
        return Bind(tree, file);
    }

    /// <summary>Loads from text, without imports.</summary>
    public static LoadedConfig Parse(string text, string file)
    {
        var tree = ConfigParser.Parse(text, file);
        ConfigMigrations.Migrate(tree, file);
        return Bind(tree, file);
    }

    private static LoadedConfig Bind(ConfigTable tree, string file)
    {
        var findings = ConfigChecker.Check(tree);
        if (findings.Any(finding => finding.Severity is ConfigSeverity.Error)) throw new ConfigException(findings);
        var (config, wrong) = new ConfigBinder(tree, file).Bind();
        if (wrong.Count > 0) throw new ConfigException([.. findings, .. wrong]);
        return new LoadedConfig(config, tree, findings);
    }

    // An imported file is migrated by itself, so that files of different versions can be mixed.
    private static void Read(string file, ConfigTable into, HashSet<string> seen)
    {
        if (!seen.Add(file)) return;
        if (seen.Count > FilesMax) throw Unreadable(file, $"more than {FilesMax} files are imported");
        string text;
        try
        {
            text = File.ReadAllText(file);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(file, cause.Message);
        }
        var table = ConfigParser.Parse(text, file);
        ConfigMigrations.Migrate(table, file);
        var imports = table["imports"];
        into.Merge(table);
        if (imports?.Value is not List<ConfigEntry> patterns) return;
        foreach (var pattern in patterns)
        {
            if (pattern.Value is not string glob) continue; // the check reports its type
            foreach (var found in Resolve(Path.GetDirectoryName(file)!, glob)) Read(found, into, seen);
        }
    }

    private static IEnumerable<string> Resolve(string directory, string glob)
    {
        var full = Path.GetFullPath(glob, directory);
        if (!full.Contains('*') && !full.Contains('?')) return [full];
        var parent = Path.GetDirectoryName(full)!;
        if (!Directory.Exists(parent)) return [];
        var matcher = new Matcher();
        matcher.AddInclude(Path.GetFileName(full));
        return matcher.GetResultsInFullPath(parent).Order(StringComparer.Ordinal);
    }

    private static ConfigException Unreadable(string file, string why) =>
        new([new(ConfigSeverity.Error, new ConfigPosition(file, 1, 1), $"cannot be read: {why}")]);
}
