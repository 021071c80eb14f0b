using System.Collections;
using System.Collections.Immutable;
using System.Net;

namespace Runtime.Oci.Registry;

/// <summary>
/// Proxies by environment as Go programs read it, because that is how nodes are configured: HTTPS_PROXY, HTTP_PROXY and
/// NO_PROXY with CIDR ranges and domains that include their sub domains. (.NET's own reader knows no CIDR.) Loopback never
/// goes through a proxy.
/// </summary>
public sealed class EnvironmentProxy : IWebProxy
{
    private readonly Uri? _http;
    private readonly Uri? _https;
    private readonly ImmutableArray<string> _direct;

    /// <param name="environment">Names in capitals.</param>
    /// <exception cref="UriFormatException">A proxy's value is not a URL or <c>host:port</c>.</exception>
    public EnvironmentProxy(IReadOnlyDictionary<string, string> environment)
    {
        _http = UrlOf(environment.GetValueOrDefault("HTTP_PROXY"));
        _https = UrlOf(environment.GetValueOrDefault("HTTPS_PROXY"));
        _direct =
        [
            .. (environment.GetValueOrDefault("NO_PROXY") ?? "")
                .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(entry => entry.ToLowerInvariant()),
        ];
    }

    /// <summary>From the proxy's URL.</summary>
    public ICredentials? Credentials
    {
        get => new ProxyCredentials(_http, _https);
        set => throw new NotSupportedException("Credentials come from the proxy's URL.");
    }

    /// <summary>The three variables of this process; small letters count where capitals are not set.</summary>
    public static ImmutableDictionary<string, string> FromProcess() =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Where(entry => ((string)entry.Key).ToUpperInvariant() is "HTTP_PROXY" or "HTTPS_PROXY" or "NO_PROXY")
            // Ordinal order brings small letters after capitals, and the first of a name wins.
            .OrderBy(entry => (string)entry.Key, StringComparer.Ordinal)
            .DistinctBy(entry => ((string)entry.Key).ToUpperInvariant())
            .ToImmutableDictionary(entry => ((string)entry.Key).ToUpperInvariant(), entry => (string?)entry.Value ?? "");

    public Uri? GetProxy(Uri destination) => IsBypassed(destination) ? null : ProxyFor(destination);

    public bool IsBypassed(Uri host) =>
        ProxyFor(host) is null || RegistryHost.IsLoopback(host.Authority) || _direct.Any(entry => Covers(entry, host));

    private Uri? ProxyFor(Uri destination) => destination.Scheme == Uri.UriSchemeHttps ? _https : _http;

    private static bool Covers(string entry, Uri destination)
    {
        if (entry == "*") return true;
        var host = destination.IdnHost.ToLowerInvariant();
        var isAddress = IPAddress.TryParse(host, out var address);
        if (IPNetwork.TryParse(entry, out var network)) return isAddress && network.Contains(address!);
        if (IPAddress.TryParse(entry, out var single)) return isAddress && single.Equals(address);
        if (entry.LastIndexOf(':') is > 0 and var colon && ushort.TryParse(entry.AsSpan(colon + 1), out var port))
        {
            if (port != destination.Port) return false;
            entry = entry[..colon].Trim('[', ']');
        }
        // ".example" means sub domains only, "example" the domain too.
        var suffix = entry.StartsWith("*.", StringComparison.Ordinal) ? entry[1..] : entry;
        return host == suffix || host.EndsWith(suffix.StartsWith('.') ? suffix : "." + suffix, StringComparison.Ordinal);
    }

    private static Uri? UrlOf(string? value)
    {
        if (string.IsNullOrEmpty(value)) return null;
        return new Uri(value.Contains("://", StringComparison.Ordinal) ? value : "http://" + value);
    }

    private sealed class ProxyCredentials(Uri? http, Uri? https) : ICredentials
    {
        public NetworkCredential? GetCredential(Uri uri, string authType)
        {
            var proxy = uri.Authority == https?.Authority ? https : uri.Authority == http?.Authority ? http : null;
            if (proxy is null || proxy.UserInfo.Length == 0) return null;
            var parts = proxy.UserInfo.Split(':', 2);
            return new NetworkCredential(
                Uri.UnescapeDataString(parts[0]), parts.Length > 1 ? Uri.UnescapeDataString(parts[1]) : "");
        }
    }
}
