using System.Net;
using System.Security.Authentication;
using System.Text.Json;
using Runtime.Faults;
using Runtime.Oci.Images;

namespace Runtime.Oci.Registry;

/// <summary>HTTP's ways to fail as faults. Messages name host, reference and status; never a URL's query: it may be signed.</summary>
internal static class RegistryFaults
{
    private const int MaxErrorBytes = 64 * 1024;

    /// <summary>The fault of an answer that is no success; reads the registry's own reason from its body.</summary>
    public static async Task<RuntimeFault> OfAsync(
        HttpResponseMessage response, string host, string what, CancellationToken cancellation)
    {
        var status = (int)response.StatusCode;
        var (kind, code) = response.StatusCode switch
        {
            HttpStatusCode.Unauthorized => (FaultKind.Unauthenticated, "registry.unauthorized"),
            HttpStatusCode.Forbidden => (FaultKind.PermissionDenied, "registry.unauthorized"),
            HttpStatusCode.NotFound => (FaultKind.NotFound, "registry.not-found"),
            HttpStatusCode.TooManyRequests => (FaultKind.ResourceExhausted, "registry.rate-limited"),
            HttpStatusCode.RequestedRangeNotSatisfiable => (FaultKind.OutOfRange, "registry.range"),
            HttpStatusCode.RequestTimeout => (FaultKind.Unavailable, "registry.unavailable"),
            _ when status >= 500 => (FaultKind.Unavailable, "registry.unavailable"),
            _ => (FaultKind.FailedPrecondition, "registry.refused"),
        };
        var reason = await ReasonAsync(response, cancellation);
        return new RuntimeFault(
            kind, code, $"{host} answered {status} {Shown.Of(response.ReasonPhrase)} for {what}{(reason.Length > 0 ? ": " + reason : "")}.");
    }

    public static RuntimeFault Unreachable(string host, string what, Exception cause) =>
        cause is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError }
            || cause.InnerException is AuthenticationException
            ? new(FaultKind.Unavailable, "registry.tls", $"{host} offers no connection that can be trusted, for {what}: {Innermost(cause)}")
            : new(FaultKind.Unavailable, "registry.unavailable", $"{host} did not answer for {what}: {Innermost(cause)}");

    public static RuntimeFault Timeout(string host, string what, TimeSpan limit) =>
        new(FaultKind.Unavailable, "registry.unavailable", $"{host} did not answer within {limit.TotalSeconds:0} s for {what}.");

    public static FaultException WrongDigest(string host, string what, string came) => new(
        FaultKind.DataLoss, "registry.digest-mismatch", $"{host} answered for {what} with content of another digest, {came}.");

    public static FaultException WrongSize(string host, string what, string problem) =>
        new(FaultKind.DataLoss, "registry.size-mismatch", $"{host} answered for {what} with content of another size: {problem}.");

    public static FaultException BadAnswer(string host, string what, string problem) =>
        new(FaultKind.FailedPrecondition, "registry.bad-answer", $"{host} answered for {what} in a way that cannot be used: {problem}.");

    public static bool IsWorthRetrying(RuntimeFault fault) => fault.Code is "registry.unavailable" or "registry.rate-limited";

    /// <summary>The fault of the last host, whose word counts most, with what the hosts before said, once where they agree.</summary>
    public static RuntimeFault Of(IReadOnlyList<RuntimeFault> failures) => failures.Count == 1
        ? failures[0]
        : failures[^1] with { Message = string.Join(" ", failures.Reverse().Select(failure => failure.Message).Distinct()) };

    private static string Innermost(Exception cause)
    {
        while (cause.InnerException is { } inner) cause = inner;
        return Shown.Of(cause.Message);
    }

    private static async Task<string> ReasonAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        try
        {
            var body = await BoundedBody.ReadAsync(response, MaxErrorBytes, cancellation);
            if (body is null || body.Length == 0 || body[0] != (byte)'{') return "";
            var reply = JsonSerializer.Deserialize(body, RegistryJson.Default.ErrorReply);
            var first = reply?.Errors?.FirstOrDefault(entry => entry is not null);
            return Shown.Of(first is null ? reply?.Details : $"{first.Code} {first.Message}".Trim());
        }
        catch (Exception unreadable) when (unreadable is JsonException or IOException or HttpRequestException)
        {
            // The status says enough; the body would only have said it better.
            return "";
        }
    }
}
