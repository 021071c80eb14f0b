namespace Runtime.Oci.Registry;

/// <summary>How long to wait before the next attempt, and the waiting.</summary>
internal sealed class RetryPolicy(RegistryOptions options, TimeProvider clock, Random random)
{
    public RegistryOptions Options => options;

    public TimeProvider Clock => clock;

    /// <summary>Waits before attempt <paramref name="attempt"/> + 1.</summary>
    /// <param name="attempt">The one that failed, from 1.</param>
    /// <returns>False, at once, when the server asks for more patience than the limit.</returns>
    public async Task<bool> WaitAsync(int attempt, TimeSpan? retryAfter, CancellationToken cancellation)
    {
        if (retryAfter > options.MaxDelay) return false;
        var backOff = options.FirstDelay * Math.Pow(2, Math.Min(attempt - 1, 20));
        if (backOff > options.MaxDelay) backOff = options.MaxDelay;
        // Half of it is drawn, so that nodes that failed together do not come back together.
        backOff = (backOff / 2) + (backOff / 2 * random.NextDouble());
        await Task.Delay(retryAfter > backOff ? retryAfter.Value : backOff, clock, cancellation);
        return true;
    }

    /// <summary>Retry-After, in either of its forms (RFC 9110, section 10.2.3).</summary>
    public TimeSpan? RetryAfterOf(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - clock.GetUtcNow(),
        _ => null,
    };
}
