using System.Collections.Immutable;
using System.Net;
using Runtime.Faults;
using Runtime.Oci.Images;

namespace Runtime.Oci.Registry;

/// <summary>
/// One pull from one repository, or one push to it: its hosts in order, one caller's credential, the tokens that it got. Thread-safe; layers may be
/// fetched in parallel. Every failure is a <see cref="FaultException"/> that names host, subject and status:
/// <list type="bullet">
/// <item>Unauthenticated or PermissionDenied <c>registry.unauthorized</c>: 401, 403</item>
/// <item>NotFound <c>registry.not-found</c>: 404</item>
/// <item>ResourceExhausted <c>registry.rate-limited</c>: 429, after waiting as asked</item>
/// <item>Unavailable <c>registry.unavailable</c>, <c>registry.tls</c>: no connection, 5xx, no answer, after retries</item>
/// <item>DataLoss <c>registry.digest-mismatch</c>, <c>registry.size-mismatch</c></item>
/// <item>FailedPrecondition <c>registry.refused</c>, <c>registry.bad-answer</c>, <c>registry.no-host</c>: all else</item>
/// </list>
/// When host fails the next one is asked; the fault then has the last host's kind and everybody's message.
/// </summary>
public sealed partial class RegistrySession : IDisposable
{
    private readonly ImageReference _reference;
    private readonly ImmutableArray<(RegistryHost Host, HostAuthorizer Authorizer)> _hosts;
    private readonly RegistryHttp _http;
    private readonly RetryPolicy _retries;

    internal RegistrySession(
        ImageReference reference, RegistryCredential? credential, ImmutableArray<RegistryHost> hosts, RegistryHttp http,
        RetryPolicy retries, ImmutableArray<string> scopes)
    {
        _reference = reference;
        _http = http;
        _retries = retries;
        _hosts =
        [
            .. hosts.Select(host => (
                host, new HostAuthorizer(host, IsFor(host, credential) ? credential : null, scopes, http, retries.Clock))),
        ];
    }

    public ImageReference Reference => _reference;

    /// <summary>In the order of trial.</summary>
    public IEnumerable<RegistryHost> Hosts => _hosts.Select(entry => entry.Host);

    public void Dispose()
    {
        foreach (var (_, authorizer) in _hosts) authorizer.Dispose();
    }

    /// <summary>True when the credential may be sent to the host.</summary>
    internal static bool IsFor(RegistryHost host, RegistryCredential? credential)
    {
        if (credential is not { IsGiven: true }) return false;
        if (credential.ServerAddress.Length == 0) return host.IsOrigin;
        var address = credential.ServerAddress;
        if (!address.Contains("://", StringComparison.Ordinal)) address = $"{host.Root.Scheme}://{address}";
        if (!Uri.TryCreate(address, UriKind.Absolute, out var server)) return false;
        return server.Authority == host.Authority
            || (host.IsOrigin && server.Authority == host.Domain)
            || (RegistryHost.IsDockerHub(server.Authority) && RegistryHost.IsDockerHub(host.Authority));
    }

    /// <summary>Asks the hosts that can <paramref name="needed"/> one after another until <paramref name="read"/> succeeds.</summary>
    /// <param name="read">Owns the response. Its FaultException fails the host, its IOException is a cut connection.</param>
    private async Task<T> AskAsync<T>(
        RegistryRequest request, HostCapabilities needed,
        Func<RegistryHost, HttpResponseMessage, Task<T>> read, CancellationToken cancellation)
    {
        var able = _hosts.Where(entry => entry.Host.Capabilities.HasFlag(needed)).ToList();
        if (able.Count == 0)
        {
            throw new FaultException(
                FaultKind.FailedPrecondition, "registry.no-host", $"No host of {_reference.Domain} is configured to {needed} {request.What}.");
        }
        var failures = new List<RuntimeFault>();
        foreach (var (host, authorizer) in able)
        {
            var attempts = failures.Count == able.Count - 1 ? _retries.Options.Attempts : _retries.Options.MirrorAttempts;
            var (value, fault) = await AskAsync(host, authorizer, request, attempts, read, cancellation);
            if (fault is null) return value!;
            failures.Add(fault);
        }
        throw RegistryFaults.Of(failures).ToException();
    }

    private async Task<(T? Value, RuntimeFault? Fault)> AskAsync<T>(
        RegistryHost host, HostAuthorizer authorizer, RegistryRequest request, int attempts,
        Func<RegistryHost, HttpResponseMessage, Task<T>> read, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            RuntimeFault fault;
            TimeSpan? retryAfter = null;
            try
            {
                var response = await AuthorizedAsync(host, authorizer, request, cancellation);
                if (response.IsSuccessStatusCode || request.IsAnswer?.Invoke(response.StatusCode) is true) return (await read(host, response), null);
                using (response)
                {
                    retryAfter = _retries.RetryAfterOf(response);
                    fault = await RegistryFaults.OfAsync(response, host.Authority, request.What, cancellation);
                }
            }
            catch (FaultException failed)
            {
                fault = failed.Fault;
            }
            catch (TimeoutException)
            {
                fault = RegistryFaults.Timeout(host.Authority, request.What, _retries.Options.ResponseTimeout);
            }
            catch (OperationCanceledException cause) when (!cancellation.IsCancellationRequested)
            {
                // SocketsHttpHandler tells its ConnectTimeout like this.
                fault = RegistryFaults.Unreachable(host.Authority, request.What, cause);
            }
            catch (Exception cut) when (cut is HttpRequestException or IOException)
            {
                fault = RegistryFaults.Unreachable(host.Authority, request.What, cut);
            }
            if (attempt >= attempts || !RegistryFaults.IsWorthRetrying(fault)) return (default, fault);
            if (!await _retries.WaitAsync(attempt, retryAfter, cancellation))
                return (default, fault with { Message = $"{fault.Message} It asks to wait {retryAfter!.Value.TotalSeconds:0} s." });
        }
    }

    private async Task<HttpResponseMessage> AuthorizedAsync(
        RegistryHost host, HostAuthorizer authorizer, RegistryRequest request, CancellationToken cancellation)
    {
        var authorization = await authorizer.CurrentAsync(cancellation);
        var response = await _http.SendAsync(host, request, authorization, cancellation);
        // A configured Authorization header is the administrator's: there is nothing to ask for.
        if (response.StatusCode is not HttpStatusCode.Unauthorized || HasOwnAuthorization(host)) return response;
        try
        {
            if (!await authorizer.AnswerAsync(response, authorization, cancellation)) return response;
        }
        catch
        {
            response.Dispose();
            throw;
        }
        response.Dispose();
        return await _http.SendAsync(host, request, await authorizer.CurrentAsync(cancellation), cancellation);
    }

    private static bool HasOwnAuthorization(RegistryHost host) =>
        host.Headers.Any(header => header.Name.Equals("Authorization", StringComparison.OrdinalIgnoreCase));

    private string PathOf(string kind, string target) => $"{_reference.Path}/{kind}/{target}";
}
