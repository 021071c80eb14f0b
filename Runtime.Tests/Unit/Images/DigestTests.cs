using System.Text;
using Runtime.Faults;
using Runtime.Oci.Images;
using Xunit;

namespace Runtime.Tests.Unit.Images;

public sealed class DigestTests
{
    private const string Empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Fact]
    public void The_digest_of_nothing_is_the_known_one() => Assert.Equal("sha256:" + Empty, Digest.OfNothing.ToString());

    [Fact]
    public void A_digest_has_algorithm_and_digits()
    {
        var digest = Digest.Parse("sha512:" + new string('a', 128));

        Assert.Equal((DigestAlgorithm.Sha512, "sha512", new string('a', 128)), (digest.Algorithm, digest.AlgorithmName, digest.Hex));
        Assert.False(digest.IsEmpty);
        Assert.True(default(Digest).IsEmpty);
    }

    [Theory]
    [InlineData("")]
    [InlineData("abcdef")]
    [InlineData("sha256")]
    [InlineData("sha256:")]
    [InlineData("sha256:abc")]
    [InlineData("sha384:" + Empty)]
    [InlineData("md5:d41d8cd98f00b204e9800998ecf8427e")]
    [InlineData("SHA256:" + Empty)]
    [InlineData("sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855")]
    [InlineData("sha512:" + Empty)]
    [InlineData("sha256:" + Empty + "0")]
    [InlineData("sha256:../../../../../../../../../../../../../../../../../../../../etc/pas")]
    public void What_is_no_digest_is_refused(string text)
    {
        Assert.False(Digest.TryParse(text, out _));
        var fault = Assert.Throws<FaultException>(() => Digest.Parse(text)).Fault;
        Assert.Equal((FaultKind.InvalidArgument, "digest.malformed"), (fault.Kind, fault.Code));
    }

    [Theory]
    [InlineData(DigestAlgorithm.Sha256)]
    [InlineData(DigestAlgorithm.Sha512)]
    public void Hashing_in_pieces_gives_the_digest_of_the_whole(DigestAlgorithm algorithm)
    {
        using var hasher = new DigestHasher(algorithm);
        foreach (var piece in (string[])["a", "", "bc", "defg"]) hasher.Append(Encoding.ASCII.GetBytes(piece));

        Assert.Equal(7, hasher.Length);
        Assert.Equal(Digest.Of(algorithm, "abcdefg"u8), hasher.Current());
        Assert.Equal(Digest.Of(algorithm, "abcdefg"u8), hasher.Finish());
        Assert.Equal(Digest.Of(algorithm, []), hasher.Finish());
    }
}
