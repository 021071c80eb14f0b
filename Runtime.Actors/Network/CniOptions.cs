using System.Collections.Immutable;

namespace Runtime.Actors.Network;

/// <summary>Which of a pod's addresses is its first. <c>ip_pref</c> in the configuration.</summary>
public enum CniIpPreference
{
    Ipv4,
    Ipv6,

    /// <summary>As the plugins' result lists them.</summary>
    Cni,
}

/// <summary>The CNI tables of the configuration.</summary>
public sealed record CniOptions
{
    /// <summary>Where plugins are looked for, in order.</summary>
    public ImmutableArray<string> BinDirs { get; init; } = ["/opt/cni/bin", "/usr/lib/cni"];

    public string ConfDir { get; init; } = "/etc/cni/net.d";

    /// <summary>File that a configuration is made of once the pods' addresses are known; empty for none. <c>conf_template</c>.</summary>
    public string ConfTemplate { get; init; } = "";

    /// <summary>How many networks a pod gets, of the files in the order of their names; 0 for all.</summary>
    public int MaxConfNum { get; init; } = 1;

    public CniIpPreference IpPreference { get; init; } = CniIpPreference.Ipv4;

    /// <summary>Keeps configuration and result of every ADD for its DEL. Must survive a reboot.</summary>
    public required string CacheDir { get; init; }

    /// <summary>Limit of one plugin's ADD or CHECK. Plugins that wait for a cluster's IPAM can take long.</summary>
    public TimeSpan AddTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Limit of one plugin's DEL.</summary>
    public TimeSpan DelTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How long a plugin whose result nobody waits for any more may go on before it is killed. Plugins are not made to be
    /// killed: the bridge plugin leaves a bridge behind on which every later ADD fails.
    /// </summary>
    public TimeSpan CancelGrace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often the directory is read again even if the kernel reported no change.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(5);
}
