namespace Runtime.Host.Configuration;

/// <summary><c>actord config default|dump|check</c>.</summary>
public static class ConfigCommand
{
    public static int Run(string verb, string? path, TextWriter output, TextWriter errors)
    {
        try
        {
            switch (verb)
            {
                case "default":
                    output.Write(ConfigWriter.Defaults());
                    return 0;
                case "dump":
                    output.Write(ConfigWriter.Effective(Report(path, errors).Tree));
                    return 0;
                case "check":
                    var checkedConfig = Report(path, errors);
                    output.WriteLine(checkedConfig.Warnings.Count == 0 ? "ok" : $"ok, with {checkedConfig.Warnings.Count} warnings");
                    return 0;
                default:
                    errors.WriteLine($"actord config: \"{verb}\" is not known; there are default, dump and check.");
                    return 2;
            }
        }
        catch (ConfigException wrong)
        {
            foreach (var finding in wrong.Findings) errors.WriteLine(finding);
            return 1;
        }
    }

    private static LoadedConfig Report(string? path, TextWriter errors)
    {
        var loaded = ConfigLoader.Load(path);
        foreach (var warning in loaded.Warnings) errors.WriteLine(warning);
        return loaded;
    }
}
