using System.Collections.Immutable;
using System.Text;
using Runtime.Faults;
using Runtime.Oci.Images;
using Xunit;

namespace Runtime.Tests.Unit.Images;

public sealed class PlatformTests
{
    [Theory]
    [InlineData("linux/amd64", "linux/amd64")]
    [InlineData("linux/x86_64", "linux/amd64")]
    [InlineData("x86-64", "linux/amd64")]
    [InlineData("linux/amd64/v1", "linux/amd64")]
    [InlineData("linux/amd64/v3", "linux/amd64/v3")]
    [InlineData("Linux/AArch64", "linux/arm64")]
    [InlineData("linux/arm64/v8", "linux/arm64")]
    [InlineData("linux/arm64/8", "linux/arm64")]
    [InlineData("linux/arm", "linux/arm/v7")]
    [InlineData("linux/arm/6", "linux/arm/v6")]
    [InlineData("linux/armhf", "linux/arm/v7")]
    [InlineData("linux/armel", "linux/arm/v6")]
    [InlineData("i386", "linux/386")]
    [InlineData("s390x", "linux/s390x")]
    [InlineData("macos/arm64", "darwin/arm64")]
    public void A_platform_has_one_spelling(string text, string normal)
    {
        Assert.Equal(normal, Platform.Parse(text).ToString());
        Assert.Equal(normal, Platform.Parse(normal).ToString());
    }

    [Fact]
    public void An_operating_system_alone_is_on_this_processor() => Assert.Equal(Platform.Host, Platform.Parse("linux"));

    [Theory]
    [InlineData("")]
    [InlineData("linux/")]
    [InlineData("linux/amd64/v1/x")]
    [InlineData("linux/amd 64")]
    [InlineData("../etc")]
    public void What_is_no_platform_is_refused(string text) =>
        Assert.Equal("platform.malformed", Assert.Throws<FaultException>(() => Platform.Parse(text)).Fault.Code);

    [Theory]
    [InlineData("linux/amd64", "linux/amd64 linux/386")]
    [InlineData("linux/amd64/v3", "linux/amd64/v3 linux/amd64/v2 linux/amd64 linux/386")]
    [InlineData("linux/arm64", "linux/arm64 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5")]
    [InlineData("linux/arm/v7", "linux/arm/v7 linux/arm/v6 linux/arm/v5")]
    [InlineData("linux/arm/v6", "linux/arm/v6 linux/arm/v5")]
    [InlineData("linux/s390x", "linux/s390x")]
    public void The_best_fit_comes_first_and_what_cannot_run_never(string wanted, string fits)
    {
        string[] all =
        [
            "linux/386", "linux/arm/v5", "linux/arm/v6", "linux/arm/v7", "linux/arm/v8", "linux/arm64/v8", "linux/amd64/v2",
            "linux/amd64/v3", "linux/amd64/v4", "linux/amd64", "linux/s390x", "windows/amd64", "unknown/unknown",
        ];
        var index = new ImageIndex { Manifests = [.. all.Select(text => Entry(text))] };

        var selected = new PlatformMatcher(Platform.Parse(wanted)).Select(index);

        Assert.Equal(fits, string.Join(' ', selected.Select(entry => entry.Platform!.Normalize())));
    }

    [Theory]
    [InlineData("""{"architecture":null,"os":"linux"}""")]
    [InlineData("""{"architecture":"amd64","os":null}""")]
    public void An_entry_whose_platform_is_null_in_a_part_is_no_candidate(string platform)
    {
        var digest = Digest.Of("x"u8);
        var text = $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[{"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{digest}}","size":1,"platform":PLATFORM}]}""";
        var index = Assert.IsType<ImageIndex>(ManifestReader.Read(Encoding.UTF8.GetBytes(text.Replace("PLATFORM", platform, StringComparison.Ordinal))));

        Assert.Empty(new PlatformMatcher(Platform.Parse("linux/amd64")).Select(index));
    }

    [Fact]
    public void Attestations_are_no_candidates_and_entries_without_platform_are_the_last()
    {
        var bare = Entry("linux/amd64") with { Platform = null, Digest = Digest.Of("bare"u8) };
        var attestation = Entry("linux/amd64") with
        {
            Annotations = ImmutableSortedDictionary<string, string>.Empty.Add("vnd.docker.reference.type", "attestation-manifest"),
        };
        var artifact = Entry("linux/amd64") with { MediaType = "application/vnd.something+json" };
        var index = new ImageIndex { Manifests = [bare, attestation, artifact, Entry("unknown/unknown"), Entry("linux/amd64")] };

        var selected = new PlatformMatcher(Platform.Parse("linux/amd64")).Select(index);

        Assert.Equal([Entry("linux/amd64").Digest, bare.Digest], selected.Select(entry => entry.Digest));
    }

    private static Descriptor Entry(string platform)
    {
        var parts = platform.Split('/');
        return Descriptor.Of(MediaTypes.OciManifest, System.Text.Encoding.UTF8.GetBytes(platform)) with
        {
            Platform = new Platform { Os = parts[0], Architecture = parts[1], Variant = parts.Length > 2 ? parts[2] : null },
        };
    }
}
