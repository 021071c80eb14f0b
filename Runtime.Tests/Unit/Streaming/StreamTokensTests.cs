using Microsoft.Extensions.Time.Testing;
using Runtime.Cri.Streaming;
using Runtime.Faults;
using Xunit;

namespace Runtime.Tests.Unit.Streaming;

public sealed class StreamTokensTests
{
    private static readonly ForwardTicket Ticket = new([], (_, _) => throw new InvalidOperationException());

    private readonly FakeTimeProvider _clock = new();
    private readonly StreamTokens _tokens;

    public StreamTokensTests() => _tokens = new StreamTokens(_clock);

    [Fact]
    public void A_token_is_good_once()
    {
        var token = _tokens.Issue(Ticket);

        Assert.Same(Ticket, _tokens.Redeem(token));
        Assert.Null(_tokens.Redeem(token));
    }

    [Fact]
    public void A_token_is_good_for_a_minute()
    {
        var (used, late) = (_tokens.Issue(Ticket), _tokens.Issue(Ticket));

        _clock.Advance(StreamTokens.Lifetime - TimeSpan.FromTicks(1));
        Assert.NotNull(_tokens.Redeem(used));
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.Null(_tokens.Redeem(late));
    }

    [Fact]
    public void Tokens_are_long_different_and_fit_a_path()
    {
        var tokens = Enumerable.Range(0, 100).Select(_ => _tokens.Issue(Ticket)).ToArray();

        Assert.Equal(tokens.Length, tokens.Distinct().Count());
        Assert.All(tokens, token => Assert.Matches("^[A-Za-z0-9_-]{22}$", token));
    }

    [Fact]
    public void Too_many_that_nobody_uses_are_refused_until_they_end_or_are_used()
    {
        var first = _tokens.Issue(Ticket);
        for (var i = 1; i < StreamTokens.OutstandingMax; i++) _tokens.Issue(Ticket);

        Assert.Equal(FaultKind.ResourceExhausted, Assert.Throws<FaultException>(() => _tokens.Issue(Ticket)).Fault.Kind);
        _tokens.Redeem(first);
        _tokens.Issue(Ticket);
        Assert.Throws<FaultException>(() => _tokens.Issue(Ticket));
        _clock.Advance(StreamTokens.Lifetime);
        _tokens.Issue(Ticket);
    }
}
