using System.Text;
using CsCheck;
using Runtime.Faults;
using Runtime.Oci.Images;
using Xunit;

namespace Runtime.Tests.Unit.Images;

public sealed class ManifestReaderTests
{
    private const string D1 = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private const string Config = $$"""{"mediaType":"{{MediaTypes.OciConfig}}","digest":"{{D1}}","size":2}""";
    private const string Layer = $$"""{"mediaType":"{{MediaTypes.OciLayerGzip}}","digest":"{{D1}}","size":10}""";
    private const string Good = $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{{Config}},"layers":[{{Layer}},{{Layer}}]}""";

    [Fact]
    public void A_manifest_has_config_and_layers_and_a_layer_may_stand_twice()
    {
        var manifest = ImageManifest.Parse(Encoding.UTF8.GetBytes(Good));

        Assert.Equal(2, manifest.Layers.Length);
        Assert.Equal(10, manifest.Layers[0].Size);
        Assert.Equal(3, manifest.Children.Length);
        // One digest, here even the config's: it is stored once.
        Assert.Equal(2, manifest.ContentSize);
    }

    [Fact]
    public void A_document_without_media_type_is_what_it_was_declared_to_be()
    {
        var json = Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"config":{{Config}},"layers":null}""");

        Assert.Equal(MediaTypes.DockerManifest, ManifestReader.Read(json, MediaTypes.DockerManifest).MediaType);
        Assert.Equal(MediaTypes.OciManifest, ManifestReader.Read(json, "application/json").MediaType);
        Assert.Empty(ImageManifest.Parse(json).Layers);
    }

    [Fact]
    public void An_index_has_manifests_with_platforms()
    {
        var json = $$"""
            {"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[
            {"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{D1}}","size":2,"platform":{"architecture":"arm64","os":"linux","variant":"v8"} }]}
            """;
        var index = ImageIndex.Parse(Encoding.UTF8.GetBytes(json));

        Assert.Equal("linux/arm64/v8", index.Manifests[0].Platform!.ToString());
        Assert.Throws<FaultException>(() => ImageManifest.Parse(Encoding.UTF8.GetBytes(json)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"schemaVersion":2}""")]
    [InlineData("""{"schemaVersion":3,"manifests":[]}""")]
    [InlineData($$"""{"schemaVersion":2,"manifests":[],"config":{{Config}},"layers":[]}""")]
    [InlineData("""{"schemaVersion":2,"manifests":[],"layers":[]}""")]
    [InlineData($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","config":{{Config}},"layers":[]}""")]
    [InlineData($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","manifests":[]}""")]
    [InlineData($$"""{"schemaVersion":2,"mediaType":"text/plain","config":{{Config}},"layers":[]}""")]
    [InlineData($$"""{"schemaVersion":2,"config":{{Config}}}""")]
    [InlineData($$"""{"schemaVersion":2,"config":null,"layers":[]}""")]
    [InlineData($$"""{"schemaVersion":2,"config":{},"layers":[]}""")]
    [InlineData($$"""{"schemaVersion":2,"config":{{Config}},"layers":[null]}""")]
    [InlineData($$$"""{"schemaVersion":2,"config":{{{Config}}},"layers":{}}""")]
    [InlineData($$"""{"schemaVersion":2,"config":{{Config}},"layers":[],"layers":[]}""")]
    [InlineData($$"""{"schemaVersion":2,"config":{"mediaType":"a","digest":"{{D1}}","size":-1},"layers":[]}""")]
    [InlineData($$"""{"schemaVersion":2,"config":{"mediaType":"a","digest":"{{D1}}","size":1e30},"layers":[]}""")]
    [InlineData($$"""{"schemaVersion":2,"config":{"mediaType":"a","digest":"{{D1}}"},"layers":[]}""")]
    [InlineData("""{"schemaVersion":2,"config":{"mediaType":"a","size":1},"layers":[]}""")]
    [InlineData("""{"schemaVersion":2,"config":{"mediaType":"a","digest":null,"size":1},"layers":[]}""")]
    [InlineData("""{"schemaVersion":2,"config":{"mediaType":"a","digest":"sha256:../../etc","size":1},"layers":[]}""")]
    [InlineData($$"""{"schemaVersion":2,"config":{"mediaType":"","digest":"{{D1}}","size":1},"layers":[]}""")]
    [InlineData($$"""{"schemaVersion":2,"config":{"mediaType":"a","digest":"{{D1}}","size":9223372036854775807},"layers":[{{Layer}}]}""")]
    [InlineData($$$"""{"schemaVersion":2,"config":{{{Config}}},"layers":[],"annotations":{"a":null}}""")]
    public void A_hostile_or_broken_document_is_refused(string json)
    {
        var fault = Assert.Throws<FaultException>(() => ManifestReader.Read(Encoding.UTF8.GetBytes(json))).Fault;
        Assert.Equal((FaultKind.InvalidArgument, "manifest.malformed"), (fault.Kind, fault.Code));
    }

    [Fact]
    public void A_document_that_contradicts_its_declaration_is_refused() => Assert.Throws<FaultException>(
        () => ManifestReader.Read(Encoding.UTF8.GetBytes(Good), MediaTypes.DockerManifest));

    [Theory]
    [InlineData("""{"schemaVersion":1,"name":"x","fsLayers":[]}""", null)]
    [InlineData("""{"schemaVersion":2,"fsLayers":[]}""", null)]
    [InlineData(Good, MediaTypes.DockerSchema1Signed)]
    public void Schema_1_is_refused_with_advice(string json, string? declared)
    {
        var fault = Assert.Throws<FaultException>(() => ManifestReader.Read(Encoding.UTF8.GetBytes(json), declared)).Fault;
        Assert.Equal((FaultKind.Unimplemented, "manifest.schema1"), (fault.Kind, fault.Code));
    }

    [Fact]
    public void More_than_8_mebibytes_are_refused_unread() => Assert.Equal(
        "manifest.too-large", Assert.Throws<FaultException>(() => ManifestReader.Read(new byte[ManifestReader.MaxBytes + 1])).Fault.Code);

    [Fact]
    public void Too_many_layers_are_refused()
    {
        var layers = string.Join(',', Enumerable.Repeat(Layer, ManifestReader.MaxLayers + 1));
        var json = $$"""{"schemaVersion":2,"config":{{Config}},"layers":[{{layers}}]}""";

        Assert.Contains("layers", Assert.Throws<FaultException>(() => ManifestReader.Read(Encoding.UTF8.GetBytes(json))).Message);
    }

    [Fact]
    public void Deep_nesting_is_refused()
    {
        var json = string.Concat(Enumerable.Repeat("""{"config":""", 5000)) + "1" + new string('}', 5000);

        Assert.Equal("manifest.malformed", Assert.Throws<FaultException>(() => ManifestReader.Read(Encoding.UTF8.GetBytes(json))).Fault.Code);
    }

    [Fact]
    public void Any_damage_to_a_manifest_is_refused_with_a_fault_or_harmless()
    {
        var good = Encoding.UTF8.GetBytes(Good);
        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte, Gen.Int[0, 3]).Sample((at, to, how) =>
        {
            var bytes = how switch
            {
                0 => good[..at],
                1 => [.. good[..at], .. good[(at + 1)..]],
                2 => [.. good[..at], to, .. good[at..]],
                _ => [.. good[..at], to, .. good[(at + 1)..]],
            };
            try
            {
                Assert.All(ManifestReader.Read(bytes).Children, child => Assert.True(child.Size >= 0 && !child.Digest.IsEmpty));
            }
            catch (FaultException refused)
            {
                Assert.StartsWith("manifest.", refused.Fault.Code, StringComparison.Ordinal);
            }
        });
    }

    [Fact]
    public void What_is_written_is_read_back_the_same()
    {
        var manifest = ImageManifest.Parse(Encoding.UTF8.GetBytes(Good));

        Assert.Equal(manifest.ToBytes(), ImageManifest.Parse(manifest.ToBytes()).ToBytes());
        Assert.Equal(Good, Encoding.UTF8.GetString(manifest.ToBytes()));
    }
}
