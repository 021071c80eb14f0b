using System.Globalization;
using System.Text;

namespace Runtime.Host.Configuration;

/// <summary>Writes configuration as TOML: the documented defaults, or what is in effect.</summary>
public static class ConfigWriter
{
    /// <summary>Every key that has an effect, with its default and what it is for.</summary>
    public static string Defaults()
    {
        var text = new StringBuilder();
        var table = "";
        foreach (var group in ConfigKeys.All.Where(key => key is { InUse: true, Default: not null })
            .GroupBy(key => ConfigChecker.Show(Named(key).SkipLast(1))).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            foreach (var key in group)
            {
                if (group.Key != table)
                {
                    table = group.Key;
                    text.Append(CultureInfo.InvariantCulture, $"\n[{table}]\n");
                }
                text.Append(CultureInfo.InvariantCulture, $"# {key.Doc}\n{key.Name} = {key.Default}\n");
            }
        }
        return text.ToString();
    }

    /// <summary>A table as it is in effect, defaults filled in.</summary>
    public static string Effective(ConfigTable tree)
    {
        var whole = ConfigParser.Parse(Defaults(), "defaults");
        if (tree.Find(["plugins", "io.containerd.cri.v1.runtime", "containerd", "runtimes"])?.Value is ConfigTable runtimes)
            FillRuntimes(whole, runtimes);
        whole.Merge(tree);
        var text = new StringBuilder();
        Write(text, whole, []);
        return text.ToString();
    }

    // The file's own runtimes stand instead of the default one, each with the defaults of its keys.
    private static void FillRuntimes(ConfigTable whole, ConfigTable given)
    {
        var table = whole.Find(["plugins", "io.containerd.cri.v1.runtime", "containerd"])?.Value as ConfigTable;
        if (table?.Take("runtimes") is not { } shipped) return;
        var runtimes = table.Sub("runtimes", shipped.At)!;
        foreach (var name in given.Entries.Keys)
        {
            var fresh = ConfigParser.Parse(Defaults(), "defaults")
                .Find(["plugins", "io.containerd.cri.v1.runtime", "containerd", "runtimes", "runc"])!;
            runtimes.Set(name, fresh);
        }
    }

    private static IEnumerable<string> Named(ConfigKey key) => key.Path.Select(segment => segment == "*" ? "runc" : segment);

    private static void Write(StringBuilder text, ConfigTable table, string[] path)
    {
        var values = table.Entries.Where(entry => entry.Value.Value is not ConfigTable).ToArray();
        if (values.Length > 0 && path.Length > 0)
            text.Append(CultureInfo.InvariantCulture, $"\n[{ConfigChecker.Show(path)}]\n");
        foreach (var (name, entry) in values)
            text.Append(CultureInfo.InvariantCulture, $"{ConfigChecker.Show([name])} = {Format(entry.Value)}\n");
        foreach (var (name, entry) in table.Entries)
            if (entry.Value is ConfigTable inner) Write(text, inner, [.. path, name]);
    }

    private static string Format(object value) => value switch
    {
        string word => $"\"{word.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"",
        bool flag => flag ? "true" : "false",
        List<ConfigEntry> list => $"[{string.Join(", ", list.Select(item => Format(item.Value)))}]",
        ConfigTable table => $"{{ {string.Join(", ", table.Entries.Select(entry => $"{ConfigChecker.Show([entry.Key])} = {Format(entry.Value.Value)}"))} }}",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };
}
