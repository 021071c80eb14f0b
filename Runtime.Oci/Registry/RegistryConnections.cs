using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Runtime.Faults;

namespace Runtime.Oci.Registry;

/// <summary>Connection pools, one per set of TLS settings. Follows no redirect: <see cref="RegistryHttp"/> does.</summary>
internal sealed class RegistryConnections(RegistryOptions options) : IDisposable
{
    /// <summary>Sets of settings; more come only from certificates that are renewed again and again.</summary>
    private const int MaxPools = 64;

    // A pool notices within this time that a name has another address.
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan IdleLifetime = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, HttpMessageInvoker> _pools = [];
    private readonly EnvironmentProxy _proxy = new(options.Proxies);

    /// <exception cref="FaultException">FailedPrecondition <c>registry.config</c>: a certificate cannot be read.</exception>
    public HttpMessageInvoker For(RegistryHost host)
    {
        var dialTimeout = host.DialTimeout ?? options.DialTimeout;
        var key = $"{dialTimeout.Ticks}|{host.Tls.Fingerprint()}";
        lock (_lock)
        {
            if (_pools.TryGetValue(key, out var pool)) return pool;
            // Not disposed: requests may still use them. Their idle connections close by themselves.
            if (_pools.Count >= MaxPools) _pools.Clear();
            return _pools[key] = new HttpMessageInvoker(Open(host.Tls, dialTimeout));
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var pool in _pools.Values) pool.Dispose();
            _pools.Clear();
        }
    }

    private SocketsHttpHandler Open(HostTls tls, TimeSpan dialTimeout) => new()
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        Proxy = _proxy,
        UseProxy = true,
        ConnectTimeout = dialTimeout,
        PooledConnectionLifetime = Lifetime,
        PooledConnectionIdleTimeout = IdleLifetime,
        MaxResponseHeadersLength = 64, // KiB
        SslOptions = SslOptions(tls),
    };

    private static SslClientAuthenticationOptions SslOptions(HostTls tls)
    {
        try
        {
            var ssl = new SslClientAuthenticationOptions();
            if (tls.Clients.Length > 0)
            {
                ssl.ClientCertificates = [.. tls.Clients.Select(client => X509Certificate2.CreateFromPemFile(
                    client.Certificate, client.Key.Length == 0 ? client.Certificate : client.Key))];
            }
            if (tls.SkipVerify)
            {
#pragma warning disable CA5359 // The administrator asked for it: skip_verify.
                ssl.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
            }
            else if (tls.Authorities.Length > 0)
            {
                var authorities = new X509Certificate2Collection();
                foreach (var file in tls.Authorities) authorities.ImportFromPemFile(file);
                ssl.RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
                    errors is SslPolicyErrors.None
                    || (errors is SslPolicyErrors.RemoteCertificateChainErrors && certificate is X509Certificate2 leaf
                        && IsSignedBy(authorities, leaf, chain));
            }
            return ssl;
        }
        catch (Exception problem) when (problem is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new FaultException(
                FaultKind.FailedPrecondition, "registry.config",
                $"A certificate or key of {string.Join(", ", tls.Authorities.Concat(tls.Clients.Select(client => client.Certificate)))} "
                + $"cannot be read: {problem.Message}", problem);
        }
    }

    // The system's roots did not do: the configured ones are tried, with the intermediates that the server sent.
    private static bool IsSignedBy(X509Certificate2Collection authorities, X509Certificate2 leaf, X509Chain? sent)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        foreach (var element in sent?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
            chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        return chain.Build(leaf);
    }
}
