using Runtime.Oci.Registry;
using Xunit;

namespace Runtime.Tests.Unit.Registry;

public sealed class AuthChallengeTests
{
    [Theory]
    [InlineData("Bearer realm=\"https://a/t\",service=\"s\",scope=\"repository:a/b:pull,push\"", "bearer[realm=https://a/t;scope=repository:a/b:pull,push;service=s]")]
    [InlineData("BEARER  Realm = \"x\" , Service=bare", "bearer[realm=x;service=bare]")]
    [InlineData("Basic realm=\"a \\\"b\\\" c\"", "basic[realm=a \"b\" c]")]
    [InlineData("Basic", "basic[]")]
    [InlineData("Negotiate, Basic realm=x, Bearer realm=y,service=z", "negotiate[] basic[realm=x] bearer[realm=y;service=z]")]
    [InlineData("Bearer realm=https://a/t?x=y,service=s", "bearer[realm=https://a/t?x=y;service=s]")]
    [InlineData("", "")]
    [InlineData(",,, ", "")]
    [InlineData("Bearer realm=\"never closed", "bearer[]")]
    [InlineData("=", "")]
    public void Challenges_are_read(string header, string expected) => Assert.Equal(expected, Shown(AuthChallenge.Parse([header])));

    [Fact]
    public void Several_headers_follow_each_other_and_a_huge_one_is_left_out() => Assert.Equal(
        "basic[realm=x] bearer[realm=y]",
        Shown(AuthChallenge.Parse(["Basic realm=x", "Digest x=" + new string('y', 20_000), "Bearer realm=y"])));

    private static string Shown(IEnumerable<AuthChallenge> challenges) => string.Join(' ', challenges.Select(challenge =>
        $"{challenge.Scheme}[{string.Join(';', challenge.Parameters.OrderBy(pair => pair.Key).Select(pair => $"{pair.Key}={pair.Value}"))}]"));
}
