using System.Collections.Immutable;
using System.Net;

namespace Runtime.Oci.Registry;

/// <summary>One host that answers for a registry: a mirror, or the registry itself.</summary>
public sealed record RegistryHost
{
    /// <summary>Root of the API, no slash at the end: <c>https://registry-1.docker.io/v2</c>.</summary>
    public required Uri Root { get; init; }

    /// <summary>The registry that the reference names; the others are told it by <c>?ns=</c>.</summary>
    public required string Domain { get; init; }

    /// <summary>True for the registry itself (hosts.toml's <c>server</c>): the caller's credential is for it.</summary>
    public required bool IsOrigin { get; init; }

    public HostCapabilities Capabilities { get; init; } = HostCapabilities.All;

    /// <summary>Sent to this host only; may hold secrets.</summary>
    public ImmutableArray<(string Name, string Value)> Headers { get; init; } = [];

    public HostTls Tls { get; init; } = HostTls.Default;

    /// <summary>Null for the default.</summary>
    public TimeSpan? DialTimeout { get; init; }

    /// <summary><c>host[:port]</c>, without the scheme's own port.</summary>
    public string Authority => Root.Authority;

    internal bool NeedsNamespace => Authority != Domain && !(IsDockerHub(Domain) && IsDockerHub(Authority));

    /// <summary>The host that answers for a registry when nothing is configured.</summary>
    public static RegistryHost DefaultFor(string domain) => new()
    {
        Root = RootOf(domain is "docker.io" ? "https://registry-1.docker.io" : domain, overridePath: false),
        Domain = domain,
        IsOrigin = true,
    };

    /// <summary>The root of the API from a URL or <c>host[:port]</c>; plain HTTP for a loopback host without scheme.</summary>
    /// <param name="overridePath">True: the URL's path is the API's root as it is; false: <c>/v2</c> follows.</param>
    /// <exception cref="UriFormatException">Not a URL of http or https.</exception>
    public static Uri RootOf(string address, bool overridePath)
    {
        var hasScheme = address.Contains("://", StringComparison.Ordinal);
        var url = new Uri(hasScheme ? address : $"{(IsLoopback(address) ? "http" : "https")}://{address}");
        if (url.Scheme is not ("http" or "https") || url.Host.Length == 0 || url.UserInfo.Length > 0 || url.Query.Length > 0)
            throw new UriFormatException($"{address} is not the URL of a registry: http or https, without user or query.");
        var path = url.AbsolutePath.TrimEnd('/');
        if (!overridePath && !path.EndsWith("/v2", StringComparison.Ordinal)) path += "/v2";
        return new Uri($"{url.Scheme}://{url.Authority}{path}");
    }

    /// <summary>localhost, 127/8 and ::1, with or without a port.</summary>
    public static bool IsLoopback(string authority)
    {
        if (!Uri.TryCreate("http://" + authority, UriKind.Absolute, out var url)) return false;
        return url.IdnHost is "localhost" || (IPAddress.TryParse(url.IdnHost, out var address) && IPAddress.IsLoopback(address));
    }

    public static bool IsDockerHub(string authority) => authority is "docker.io" or "index.docker.io" or "registry-1.docker.io";

    /// <summary>Host and role, no headers: they may be secret.</summary>
    public override string ToString() => IsOrigin ? Authority : $"{Authority} (mirror of {Domain})";
}
