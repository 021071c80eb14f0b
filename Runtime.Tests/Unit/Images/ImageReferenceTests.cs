using CsCheck;
using Runtime.Faults;
using Runtime.Oci.Images;
using Xunit;

namespace Runtime.Tests.Unit.Images;

public sealed class ImageReferenceTests
{
    private const string Hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Theory]
    [InlineData("busybox", "docker.io/library/busybox:latest")]
    [InlineData("busybox:1.36", "docker.io/library/busybox:1.36")]
    [InlineData("library/busybox", "docker.io/library/busybox:latest")]
    [InlineData("docker.io/busybox", "docker.io/library/busybox:latest")]
    [InlineData("index.docker.io/busybox", "docker.io/library/busybox:latest")]
    [InlineData("alice/tool", "docker.io/alice/tool:latest")]
    [InlineData("localhost/tool", "localhost/tool:latest")]
    [InlineData("localhost:5000/tool", "localhost:5000/tool:latest")]
    [InlineData("127.0.0.1:5000/a/b:x", "127.0.0.1:5000/a/b:x")]
    [InlineData("[::1]:5000/a:x", "[::1]:5000/a:x")]
    [InlineData("[2001:db8::1]/a", "[2001:db8::1]/a:latest")]
    [InlineData("registry.k8s.io/pause:3.9", "registry.k8s.io/pause:3.9")]
    [InlineData("Foo/bar", "Foo/bar:latest")]
    [InlineData("a.b/c__d/e---f/g_h.i:T-1._", "a.b/c__d/e---f/g_h.i:T-1._")]
    [InlineData("busybox@sha256:" + Hex, "docker.io/library/busybox@sha256:" + Hex)]
    [InlineData("busybox:1@sha256:" + Hex, "docker.io/library/busybox:1@sha256:" + Hex)]
    [InlineData("localhost:5000/a:1@sha256:" + Hex, "localhost:5000/a:1@sha256:" + Hex)]
    [InlineData(Hex + ":tag", "docker.io/library/" + Hex + ":tag")]
    public void A_reference_is_completed_as_docker_does(string text, string full)
    {
        var reference = ImageReference.Parse(text);

        Assert.Equal(full, reference.ToString());
        Assert.Equal(reference, ImageReference.Parse(full));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" busybox")]
    [InlineData("busybox ")]
    [InlineData("Busybox")]
    [InlineData("busybox:")]
    [InlineData("busybox:.x")]
    [InlineData("busybox:-x")]
    [InlineData("busybox:a b")]
    [InlineData("busybox@")]
    [InlineData("busybox@sha256:abc")]
    [InlineData("busybox@sha256:" + Hex + "@sha256:" + Hex)]
    [InlineData("@sha256:" + Hex)]
    [InlineData(":tag")]
    [InlineData(Hex)]
    [InlineData("/busybox")]
    [InlineData("a.b/")]
    [InlineData("a.b//c")]
    [InlineData("a.b/-c")]
    [InlineData("a.b/c-")]
    [InlineData("a.b/c___d")]
    [InlineData("a.b/c..d")]
    [InlineData("a.b/c._d")]
    [InlineData("a.b/../c")]
    [InlineData("a.b:x/c")]
    [InlineData("a.b:99999/c")]
    [InlineData("a.b:/c")]
    [InlineData("a..b/c")]
    [InlineData("-a.b/c")]
    [InlineData("./c")]
    [InlineData("../c")]
    [InlineData("[::1/c")]
    [InlineData("[1.2.3.4]/c")]
    [InlineData("[fe80::1%25eth0]/c")]
    [InlineData("https://a.b/c")]
    [InlineData("a.b/c\n")]
    [InlineData("a.b/ç")]
    public void What_is_no_reference_is_refused(string text)
    {
        var fault = Assert.Throws<FaultException>(() => ImageReference.Parse(text)).Fault;
        Assert.Equal((FaultKind.InvalidArgument, "reference.malformed"), (fault.Kind, fault.Code));
        Assert.False(ImageReference.TryParse(text, out _));
    }

    [Fact]
    public void A_name_has_255_characters_and_a_tag_128_at_most()
    {
        Assert.Equal(255, ImageReference.Parse("a.b/" + new string('x', 251)).Name.Length);
        Assert.False(ImageReference.TryParse("a.b/" + new string('x', 252), out _));
        Assert.True(ImageReference.TryParse("a.b/c:" + new string('x', 128), out _));
        Assert.False(ImageReference.TryParse("a.b/c:" + new string('x', 129), out _));
    }

    [Fact]
    public void The_digest_decides_where_there_is_a_tag_too()
    {
        var reference = ImageReference.Parse($"busybox:1@sha256:{Hex}");

        Assert.Equal($"sha256:{Hex}", reference.Target);
        Assert.Null(reference.RepoTag);
        Assert.Equal("docker.io/library/busybox:1", ImageReference.Parse("busybox:1").RepoTag);
        Assert.Equal($"docker.io/library/busybox@sha256:{Hex}", ImageReference.Parse("busybox:1").RepoDigest(reference.Digest));
    }

    [Fact]
    public void Every_reference_built_from_the_grammar_is_read_back_part_by_part()
    {
        string[] separators = [".", "_", "__", "-", "---"];
        var alnum = Gen.Char["abcxyz019"].Array[1, 6].Select(letters => new string(letters));
        var component = Gen.Select(alnum, Gen.Int[0, 4].Select(which => separators[which]), alnum, (a, separator, b) => a + separator + b);
        var domain = Gen.Select(alnum, alnum, Gen.Int[0, 65535], (a, b, port) => port % 2 == 0 ? $"{a}.{b}" : $"{a}.{b}:{port}");
        var tag = Gen.Char["AZaz09_"].Select(Gen.Char["AZaz09_.-"].Array[0, 20], (first, rest) => first + new string(rest));
        var digest = Gen.Byte.Array[0, 8].Select(bytes => bytes.Length < 4 ? default : Digest.Of(bytes));

        Gen.Select(domain, component.Array[1, 4], tag, digest).Sample(parts =>
        {
            var (host, components, name, pin) = parts;
            var path = string.Join('/', components);
            var reference = ImageReference.Parse($"{host}/{path}:{name}{(pin.IsEmpty ? "" : "@" + pin)}");

            Assert.Equal((host, path, name, pin), (reference.Domain, reference.Path, reference.Tag, reference.Digest));
            Assert.Equal(reference, ImageReference.Parse(reference.ToString()));
        });
    }

    [Fact]
    public void Any_text_is_either_refused_or_read_to_what_reads_the_same_again() =>
        Gen.Char["ab1.:/@-_[]AZ \0é"].Array[0, 40].Select(letters => new string(letters)).Sample(text =>
        {
            if (ImageReference.TryParse(text, out var reference))
                Assert.Equal(reference, ImageReference.Parse(reference.ToString()));
        });
}
