using System.Net;
using System.Net.Http.Headers;
using Runtime.Faults;

namespace Runtime.Oci.Registry;

/// <summary>A request that can be repeated.</summary>
/// <param name="What">For messages: the reference or digest.</param>
/// <param name="From">First byte wanted; 0 for all.</param>
/// <param name="IsPinned">The content is checked by digest, so that a redirect to plain HTTP can do no harm.</param>
internal sealed record RegistryRequest(
    HttpMethod Method, string Path, string What, string? Accept, long From, bool IsPinned)
{
    /// <summary>Made anew for each attempt; null for a request without a body.</summary>
    public Func<HttpContent>? Content { get; init; }

    /// <summary>Where the registry said that this goes; null: <see cref="Path"/> below the host's root.</summary>
    public Uri? Location { get; init; }

    /// <summary>Statuses that are an answer though they are no success.</summary>
    public Func<HttpStatusCode, bool>? IsAnswer { get; init; }

    /// <summary>A big body takes as long as it takes, if only it gets on.</summary>
    public bool IsUpload { get; init; }
}

/// <summary>One request to one host, with redirects and time limit: no retry, no authentication.</summary>
internal sealed class RegistryHttp(RegistryConnections connections, RegistryOptions options, TimeProvider clock)
{
    private const int MaxRedirects = 10;

    /// <summary>The answer's headers; the body is still to be read, without time limit.</summary>
    /// <exception cref="HttpRequestException">No connection.</exception>
    /// <exception cref="TimeoutException">No answer within the limit.</exception>
    /// <exception cref="FaultException">A redirect that is not followed.</exception>
    public async Task<HttpResponseMessage> SendAsync(
        RegistryHost host, RegistryRequest request, AuthenticationHeaderValue? authorization, CancellationToken cancellation)
    {
        var url = request.Location ?? UrlOf(host, request.Path);
        for (var redirects = 0; ; redirects++)
        {
            var response = await AnswerAsync(
                host, () => Message(host, request, url, authorization), cancellation, request.IsUpload ? Timeout.InfiniteTimeSpan : null);
            if (!IsRedirect(response.StatusCode) || response.Headers.Location is not { } location) return response;
            response.Dispose();
            var next = new Uri(url, location);
            if (next.Scheme is not ("http" or "https"))
                throw RegistryFaults.BadAnswer(host.Authority, request.What, "it redirects to something that is not HTTP");
            if (url.Scheme == "https" && next.Scheme == "http" && !request.IsPinned)
                throw RegistryFaults.BadAnswer(host.Authority, request.What, "it redirects from https to http, and nothing would prove the content");
            if (redirects == MaxRedirects)
                throw RegistryFaults.BadAnswer(host.Authority, request.What, $"it redirects more than {MaxRedirects} times");
            url = next;
        }
    }

    /// <summary>A request of any kind to anywhere, over the host's TLS settings: for token servers.</summary>
    public Task<HttpResponseMessage> SendAsync(
        RegistryHost host, Func<HttpRequestMessage> message, CancellationToken cancellation) =>
        AnswerAsync(host, message, cancellation);

    private async Task<HttpResponseMessage> AnswerAsync(
        RegistryHost host, Func<HttpRequestMessage> create, CancellationToken cancellation, TimeSpan? timeout = null)
    {
        using var limit = new CancellationTokenSource(timeout ?? options.ResponseTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        using var message = create();
        message.Headers.TryAddWithoutValidation("User-Agent", options.UserAgent);
        try
        {
            return await connections.For(host).SendAsync(message, either.Token);
        }
        catch (OperationCanceledException cause) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"No answer within {options.ResponseTimeout.TotalSeconds:0} s.", cause);
        }
    }

    private static HttpRequestMessage Message(
        RegistryHost host, RegistryRequest request, Uri url, AuthenticationHeaderValue? authorization)
    {
        // HTTP/1.1: parallel downloads get a connection each, instead of sharing one connection's flow control.
        var message = new HttpRequestMessage(request.Method, url) { Version = HttpVersion.Version11, Content = request.Content?.Invoke() };
        if (request.Accept is not null) message.Headers.TryAddWithoutValidation("Accept", request.Accept);
        if (request.From > 0) message.Headers.Range = new RangeHeaderValue(request.From, null);
        // After a redirect to elsewhere neither token nor configured header goes along: they are this host's.
        if (url.Scheme != host.Root.Scheme || url.Authority != host.Root.Authority) return message;
        foreach (var (name, value) in host.Headers) message.Headers.TryAddWithoutValidation(name, value);
        if (authorization is not null) message.Headers.Authorization = authorization;
        return message;
    }

    private static Uri UrlOf(RegistryHost host, string path)
    {
        var url = $"{host.Root.AbsoluteUri.TrimEnd('/')}/{path}";
        if (!host.NeedsNamespace) return new Uri(url);
        return new Uri($"{url}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}ns={Uri.EscapeDataString(host.Domain)}");
    }

    private static bool IsRedirect(HttpStatusCode status) => status
        is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther
        or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;
}
