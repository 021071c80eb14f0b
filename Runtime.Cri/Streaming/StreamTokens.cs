using System.Buffers.Text;
using System.Security.Cryptography;
using Runtime.Faults;

namespace Runtime.Cri.Streaming;

/// <summary>
/// The tokens of the URLs that Exec, Attach and PortForward answer: who has one is let in without another question. Each is
/// good for one request within a minute.
/// </summary>
internal sealed class StreamTokens(TimeProvider clock)
{
    /// <summary>As many as the kubelet's own server keeps; more mean that somebody asks and never comes.</summary>
    public const int OutstandingMax = 1000;

    /// <summary>128 bits: cannot be guessed within a minute.</summary>
    private const int RandomBytes = 16;

    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, StreamTicket> _tickets = new(StringComparer.Ordinal);

    // In the order in which they end; those that were used are passed over.
    private readonly Queue<(string Token, DateTimeOffset Ends)> _ends = new();

    /// <returns>22 characters of base64url.</returns>
    /// <exception cref="FaultException">ResourceExhausted: too many are outstanding.</exception>
    public string Issue(StreamTicket ticket)
    {
        var token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RandomBytes));
        lock (_lock)
        {
            DropEnded();
            if (_tickets.Count >= OutstandingMax)
            {
                throw new FaultException(FaultKind.ResourceExhausted, "streaming.too-many-tokens",
                    $"{OutstandingMax} streaming URLs have been given out and not been used; each ends after {Lifetime.TotalSeconds} s.");
            }
            _tickets.Add(token, ticket);
            _ends.Enqueue((token, clock.GetUtcNow() + Lifetime));
        }
        return token;
    }

    /// <summary>Takes the token out of use. Null when it is unknown, used or too old.</summary>
    public StreamTicket? Redeem(string token)
    {
        lock (_lock)
        {
            DropEnded();
            return _tickets.Remove(token, out var ticket) ? ticket : null;
        }
    }

    private void DropEnded()
    {
        var now = clock.GetUtcNow();
        while (_ends.TryPeek(out var first) && (first.Ends <= now || !_tickets.ContainsKey(first.Token)))
        {
            _ends.Dequeue();
            _tickets.Remove(first.Token);
        }
    }
}
