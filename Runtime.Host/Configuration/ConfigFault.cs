namespace Runtime.Host.Configuration;

public enum ConfigSeverity
{
    /// <summary>The daemon starts; the key has no effect.</summary>
    Warning,

    /// <summary>The daemon does not start.</summary>
    Error,
}

/// <summary>One thing that is wrong with a configuration, with its place.</summary>
public sealed record ConfigFinding(ConfigSeverity Severity, ConfigPosition At, string Message)
{
    public override string ToString() => $"{At}: {(Severity is ConfigSeverity.Error ? "error" : "warning")}: {Message}";
}

/// <summary>A configuration that cannot be used: everything that is wrong with it at once.</summary>
public sealed class ConfigException(IReadOnlyList<ConfigFinding> findings)
    : Exception(string.Join(Environment.NewLine, findings.Where(finding => finding.Severity is ConfigSeverity.Error)))
{
    public IReadOnlyList<ConfigFinding> Findings { get; } = findings;
}
