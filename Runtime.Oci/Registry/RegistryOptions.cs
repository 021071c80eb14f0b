using System.Collections.Immutable;

namespace Runtime.Oci.Registry;

/// <summary>How registries are reached.</summary>
public sealed record RegistryOptions
{
    /// <summary>
    /// Directories with a sub directory per registry, as containerd's <c>registry.config_path</c>; several are separated by
    /// colons. Files are read at each pull: a change needs no restart. Empty: none.
    /// </summary>
    public string ConfigPath { get; init; } = "";

    public string UserAgent { get; init; } = "actord";

    /// <summary>For TCP and TLS to be established, where hosts.toml has no <c>dial_timeout</c>.</summary>
    public TimeSpan DialTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>From a request to the headers of its answer.</summary>
    public TimeSpan ResponseTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// A read of a blob that brings no byte for this long is given up and the download resumed. The time between reads, which
    /// is the reader's, does not count. <see cref="Timeout.InfiniteTimeSpan"/>: never.
    /// </summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Requests to the last host before it counts as failed; only 429, 5xx and cut connections are tried again.</summary>
    public int Attempts { get; init; } = 5;

    /// <summary>The same for the hosts before: there is another one to go to.</summary>
    public int MirrorAttempts { get; init; } = 2;

    /// <summary>Times that a blob's download is resumed without a byte having come in between.</summary>
    public int ResumesWithoutProgress { get; init; } = 3;

    /// <summary>Before the second attempt; doubles with each further one, and is drawn between half of it and all of it.</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>The longest delay, and the longest Retry-After that is honoured: a longer one fails the host at once.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in capitals; the process's own environment by default.</summary>
    public ImmutableDictionary<string, string> Proxies { get; init; } = EnvironmentProxy.FromProcess();
}
