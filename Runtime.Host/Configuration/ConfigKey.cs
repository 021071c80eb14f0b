namespace Runtime.Host.Configuration;

public enum ConfigType
{
    Text,
    Integer,
    Flag,
    TextList,

    /// <summary>A number of seconds, or text such as <c>5m</c>, <c>1h30m</c>.</summary>
    Duration,

    /// <summary>A number of bytes, or text such as <c>16Mi</c>.</summary>
    Size,

    /// <summary>A table or value of any shape, known by name only.</summary>
    Any,
}

/// <summary>One key that the configuration knows: everything that is said about it is said here.</summary>
/// <param name="Path">Segments; <c>*</c> stands for a name that the user chooses.</param>
/// <param name="Default">TOML text of the default; null where there is none.</param>
/// <param name="Doc">One line for people.</param>
/// <param name="InUse">False: containerd has it and a file with it is right, but here it has no effect (yet).</param>
public sealed record ConfigKey(string[] Path, ConfigType Type, string? Default, string Doc, bool InUse = true)
{
    public string Name => Path[^1];

    public bool Matches(ReadOnlySpan<string> path)
    {
        if (path.Length != Path.Length) return false;
        for (var i = 0; i < path.Length; i++)
            if (Path[i] != "*" && Path[i] != path[i]) return false;
        return true;
    }

    public bool StartsWith(ReadOnlySpan<string> path)
    {
        if (path.Length > Path.Length) return false;
        for (var i = 0; i < path.Length; i++)
            if (Path[i] != "*" && Path[i] != path[i]) return false;
        return true;
    }
}
