namespace Runtime.Oci.Registry;

/// <summary>What a host may be asked for (hosts.toml, <c>capabilities</c>).</summary>
[Flags]
public enum HostCapabilities
{
    None = 0,

    /// <summary>Content by digest.</summary>
    Pull = 1,

    /// <summary>The digest that a tag stands for: such a host is trusted with the choice of the image.</summary>
    Resolve = 2,

    Push = 4,
    All = Pull | Resolve | Push,
}
