using System.Collections.Immutable;
using Runtime.Faults;
using Runtime.Oci.Images;

namespace Runtime.Oci.Registry;

/// <summary>
/// Pulls from and pushes to registries over the distribution spec 1.1. One per process: it holds the connection pools. Thread-safe.
/// </summary>
/// <example><code>
/// using var registry = new RegistryClient(new RegistryOptions { ConfigPath = "/etc/containerd/certs.d" }, TimeProvider.System);
/// using var session = registry.Open(ImageReference.Parse("busybox"), credential: null);
/// var target = await session.ResolveAsync(cancellation);                    // HEAD: costs no rate limit
/// var manifest = await session.FetchManifestAsync(target, cancellation);    // bytes with that digest
/// await using var blob = await session.OpenBlobAsync(layer, offset, cancellation);
/// </code></example>
public sealed class RegistryClient : IDisposable
{
    private readonly RegistryOptions _options;
    private readonly TimeProvider _clock;
    private readonly Random _random;
    private readonly RegistryConnections _connections;

    /// <param name="random">For the jitter of delays; must be thread-safe.</param>
    public RegistryClient(RegistryOptions options, TimeProvider clock, Random? random = null)
    {
        _options = options;
        _clock = clock;
        _random = random ?? Random.Shared;
        _connections = new RegistryConnections(options);
    }

    /// <summary>Prepares pulling from the reference's repository. Reads the host configuration; opens no connection yet.</summary>
    /// <param name="credential">Kept by the session only; null for anonymous.</param>
    /// <exception cref="FaultException">FailedPrecondition <c>registry.config</c>.</exception>
    public RegistrySession Open(ImageReference reference, RegistryCredential? credential) =>
        Open(reference, credential, HostsOf(reference));

    /// <summary>The same with hosts that the caller chose, in the order of trial.</summary>
    public RegistrySession Open(ImageReference reference, RegistryCredential? credential, ImmutableArray<RegistryHost> hosts)
    {
        return Open(reference, credential, hosts, [$"repository:{reference.Path}:pull"]);
    }

    /// <summary>The hosts that answer for the reference's registry, in the order of trial.</summary>
    /// <param name="configPath">Instead of the configured one; empty for that.</param>
    /// <exception cref="FaultException">FailedPrecondition <c>registry.config</c>.</exception>
    public ImmutableArray<RegistryHost> HostsOf(ImageReference reference, string configPath = "") =>
        HostsDirectory.Find(configPath.Length > 0 ? configPath : _options.ConfigPath, reference.Domain);

    /// <summary>Prepares pushing to the reference's repository.</summary>
    /// <param name="sources">Other repositories of the same registry, from which blobs may be mounted.</param>
    public RegistrySession OpenForPush(
        ImageReference reference, RegistryCredential? credential, ImmutableArray<RegistryHost> hosts, ImmutableArray<string> sources) => Open(
        reference, credential, hosts,
        [$"repository:{reference.Path}:pull,push", .. sources.Where(source => source != reference.Path).Select(source => $"repository:{source}:pull")]);

    private RegistrySession Open(
        ImageReference reference, RegistryCredential? credential, ImmutableArray<RegistryHost> hosts, ImmutableArray<string> scopes) => new(
            reference, credential, hosts, new RegistryHttp(_connections, _options, _clock), new RetryPolicy(_options, _clock, _random), scopes);

    public void Dispose() => _connections.Dispose();
}
