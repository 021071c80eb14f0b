using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Runtime.Faults;

namespace Runtime.Oci.Registry;

/// <summary>
/// Authentication toward one host during one pull: Basic, or Bearer with a token of the token server that the host names
/// (distribution, spec/auth). Parallel requests share one token. Nothing outlives the pull.
/// </summary>
/// <param name="credential">Null: anonymous, which may still need a token.</param>
/// <param name="scopes">What a token is asked for (token.md, <c>scope</c>), beside what the host itself names.</param>
internal sealed class HostAuthorizer(
    RegistryHost host, RegistryCredential? credential, ImmutableArray<string> scopes, RegistryHttp http, TimeProvider clock) : IDisposable
{
    private const int MaxReplyBytes = 1024 * 1024;
    private const string ClientId = "actord";

    // The default of distribution, spec/auth/token.md; a token is renewed a little before its end.
    private static readonly TimeSpan DefaultLifetime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan MaxLifetime = TimeSpan.FromHours(1);
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _one = new(1, 1);
    private AuthenticationHeaderValue? _current = FirstOf(credential);
    private DateTimeOffset _expiresAt = DateTimeOffset.MaxValue;
    private AuthChallenge? _bearer;

    /// <summary>What to send before anything was asked for, or after it was: null for nothing. Renews a token that ends.</summary>
    public async Task<AuthenticationHeaderValue?> CurrentAsync(CancellationToken cancellation)
    {
        if (_bearer is null || clock.GetUtcNow() < _expiresAt) return _current;
        await _one.WaitAsync(cancellation);
        try
        {
            if (clock.GetUtcNow() >= _expiresAt) await RenewAsync(_bearer, cancellation);
            return _current;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Answers a 401.</summary>
    /// <param name="refused">What was sent with the request that was refused.</param>
    /// <returns>True when there is something else to send now.</returns>
    /// <exception cref="FaultException">The token server refused, or cannot be used.</exception>
    /// <exception cref="HttpRequestException">The token server cannot be reached.</exception>
    public async Task<bool> AnswerAsync(
        HttpResponseMessage response, AuthenticationHeaderValue? refused, CancellationToken cancellation)
    {
        var values = response.Headers.NonValidated.TryGetValues("WWW-Authenticate", out var found) ? found : default;
        var challenges = AuthChallenge.Parse(values);
        await _one.WaitAsync(cancellation);
        try
        {
            // Another request of this pull was quicker.
            if (!ReferenceEquals(_current, refused)) return true;
            // A token that the caller gave cannot be replaced by one that we get.
            if (credential?.RegistryToken is { Length: > 0 }) return false;
            if (challenges.FirstOrDefault(challenge => challenge.Scheme is "bearer") is { } bearer)
            {
                await RenewAsync(bearer, cancellation);
                return true;
            }
            if (!challenges.Any(challenge => challenge.Scheme is "basic") || credential is not { HasPassword: true } || refused is not null)
                return false;
            _current = Basic(credential.Username, credential.Password);
            return true;
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private static AuthenticationHeaderValue? FirstOf(RegistryCredential? credential) =>
        credential?.RegistryToken is { Length: > 0 } token ? new("Bearer", token) : null;

    private static AuthenticationHeaderValue Basic(string user, string password) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));

    private async Task RenewAsync(AuthChallenge bearer, CancellationToken cancellation)
    {
        var realm = RealmOf(bearer);
        var reply = await FetchAsync(realm, bearer, cancellation);
        var token = reply.Token is { Length: > 0 } ? reply.Token : reply.AccessToken;
        if (string.IsNullOrEmpty(token) || token.AsSpan().ContainsAny("\r\n\0"))
            throw RegistryFaults.BadAnswer(realm.Authority, scopes[0], "the reply holds no token");
        var lifetime = reply.ExpiresIn is > 0 and var seconds
            ? TimeSpan.FromSeconds(Math.Min(seconds, (long)MaxLifetime.TotalSeconds))
            : DefaultLifetime;
        _current = new AuthenticationHeaderValue("Bearer", token);
        _expiresAt = clock.GetUtcNow() + (lifetime > 2 * Margin ? lifetime - Margin : lifetime / 2);
        _bearer = bearer;
    }

    // The token server is usually another host and nothing but the registry vouches for it. What can be asked is that a
    // registry with TLS names no server without.
    private Uri RealmOf(AuthChallenge bearer)
    {
        if (!Uri.TryCreate(bearer["realm"], UriKind.Absolute, out var realm) || realm.Scheme is not ("http" or "https")
            || realm.UserInfo.Length > 0)
        {
            throw RegistryFaults.BadAnswer(host.Authority, scopes[0], "it names no token server that can be asked");
        }
        if (host.Root.Scheme == "https" && realm.Scheme == "http")
            throw RegistryFaults.BadAnswer(host.Authority, scopes[0], $"it names the token server {realm.Authority} without TLS");
        return realm;
    }

    // 1. An identity token is POSTed (oauth.md); all else is a GET (token.md).
    // 2. A server that knows only the other way answers 404, 405 or the like: the other way is tried.
    private async Task<TokenReply> FetchAsync(Uri realm, AuthChallenge bearer, CancellationToken cancellation)
    {
        // A push asks for all that it will need at once: for the rights that the first request lacked there would be a token each.
        var asked = (bearer["scope"] ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var scope = string.Join(' ', asked.Length > 0 && scopes.Length == 1 && scopes[0].EndsWith(":pull", StringComparison.Ordinal)
            ? asked
            : asked.Union(scopes));
        Func<HttpRequestMessage> get = () => Get(realm, bearer["service"], scope);
        Func<HttpRequestMessage>? post = credential is { IsGiven: true } ? () => Post(realm, bearer["service"], scope) : null;
        var (first, second) = credential?.IdentityToken is { Length: > 0 } ? (post!, get) : (get, post);

        var response = await http.SendAsync(host, first, cancellation);
        if (second is not null && response.StatusCode
            is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed or HttpStatusCode.BadRequest or HttpStatusCode.NotImplemented)
        {
            response.Dispose();
            response = await http.SendAsync(host, second, cancellation);
        }
        using (response) return await ReadAsync(response, realm, cancellation);
    }

    private async Task<TokenReply> ReadAsync(HttpResponseMessage response, Uri realm, CancellationToken cancellation)
    {
        var what = $"a token for {scopes[0]}";
        if (!response.IsSuccessStatusCode)
            throw (await RegistryFaults.OfAsync(response, realm.Authority, what, cancellation)).ToException();
        try
        {
            var body = await BoundedBody.ReadAsync(response, MaxReplyBytes, cancellation)
                ?? throw RegistryFaults.BadAnswer(realm.Authority, what, "the reply is too large");
            return JsonSerializer.Deserialize(body, RegistryJson.Default.TokenReply)
                ?? throw RegistryFaults.BadAnswer(realm.Authority, what, "the reply is null");
        }
        catch (JsonException)
        {
            // Not given as the cause: its message may quote the token.
            throw RegistryFaults.BadAnswer(realm.Authority, what, "the reply is not the expected JSON");
        }
    }

    private HttpRequestMessage Get(Uri realm, string? service, string scope)
    {
        var query = new List<string>();
        if (realm.Query.Length > 1) query.Add(realm.Query[1..]);
        if (!string.IsNullOrEmpty(service)) query.Add($"service={Uri.EscapeDataString(service)}");
        query.AddRange(scope.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(one => $"scope={Uri.EscapeDataString(one)}"));
        var message = new HttpRequestMessage(HttpMethod.Get, new UriBuilder(realm) { Query = string.Join('&', query) }.Uri);
        if (credential is { IdentityToken.Length: > 0 })
            message.Headers.Authorization = Basic(credential.Username, credential.IdentityToken);
        else if (credential is { HasPassword: true })
            message.Headers.Authorization = Basic(credential.Username, credential.Password);
        return message;
    }

    private HttpRequestMessage Post(Uri realm, string? service, string scope)
    {
        var fields = new Dictionary<string, string> { ["client_id"] = ClientId, ["scope"] = scope, ["service"] = service ?? "" };
        if (credential!.IdentityToken.Length > 0)
        {
            fields["grant_type"] = "refresh_token";
            fields["refresh_token"] = credential.IdentityToken;
        }
        else
        {
            fields["grant_type"] = "password";
            fields["username"] = credential.Username;
            fields["password"] = credential.Password;
        }
        return new HttpRequestMessage(HttpMethod.Post, realm) { Content = new FormUrlEncodedContent(fields) };
    }
}
