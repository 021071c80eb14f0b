using System.Text;
using Runtime.Faults;
using Runtime.Oci.Images;
using Xunit;

namespace Runtime.Tests.Unit.Images;

public sealed class ImageConfigTests
{
    private const string D1 = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private const string Rootfs = $$"""{"type":"layers","diff_ids":["{{D1}}"]}""";

    [Fact]
    public void A_config_as_docker_writes_it_is_read_with_its_nulls()
    {
        var config = Parse($$$"""
            {"architecture":"amd64","os":"linux","created":"2024-05-18T22:34:17.123456789Z","docker_version":"1",
             "config":{"Hostname":"","User":"1000:1000","ExposedPorts":{"80/tcp":{}},"Env":["A=b=c"],"Cmd":["sh"],"Entrypoint":null,
               "Volumes":{"/data":{},"/more":null},"WorkingDir":"/w","Labels":{"k":"v"},"StopSignal":"SIGQUIT","ArgsEscaped":true,"OnBuild":null},
             "rootfs":{{{Rootfs}}},
             "history":[{"created":"2024-05-18T22:34:17Z","created_by":"x","empty_layer":true},{"created_by":"y"}]}
            """);

        var process = config.Config!;
        Assert.Equal("linux/amd64", config.Platform.ToString());
        Assert.Equal("1000:1000", process.User);
        Assert.Equal(["A=b=c"], process.Env);
        Assert.Equal(["sh"], process.Cmd);
        Assert.Empty(process.Entrypoint);
        Assert.Equal(["/data", "/more"], process.Volumes);
        Assert.Equal(["80/tcp"], process.ExposedPorts);
        Assert.Equal(("/w", "SIGQUIT", true), (process.WorkingDir, process.StopSignal, process.ArgsEscaped));
        Assert.Equal("v", process.Labels!["k"]);
        Assert.Equal([true, false], config.History.Select(entry => entry.EmptyLayer));
        Assert.Equal(config.ToBytes(), ImageConfig.Parse(config.ToBytes()).ToBytes());
    }

    [Fact]
    public void The_least_config_has_a_rootfs() => Assert.Null(Parse($$"""{"rootfs":{{Rootfs}}}""").Config);

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"rootfs":null}""")]
    [InlineData("""{"rootfs":{"type":"other","diff_ids":[]}}""")]
    [InlineData("""{"rootfs":{"type":"layers"}}""")]
    [InlineData("""{"rootfs":{"type":"layers","diff_ids":["x"]}}""")]
    [InlineData($$$"""{"rootfs":{{{Rootfs}}},"config":{"Env":[null]}}""")]
    [InlineData($$$"""{"rootfs":{{{Rootfs}}},"config":{"Env":["A=\u0000"]}}""")]
    [InlineData($$$"""{"rootfs":{{{Rootfs}}},"config":{"User":"a\u0000b"}}""")]
    [InlineData($$$"""{"rootfs":{{{Rootfs}}},"config":{"Labels":{"a":null} } }""")]
    [InlineData($$$"""{"rootfs":{{{Rootfs}}},"config":{"Volumes":["/data"]}}""")]
    [InlineData($$$"""{"rootfs":{{{Rootfs}}},"config":{"Cmd":"sh"}}""")]
    [InlineData($$$"""{"rootfs":{{{Rootfs}}},"config":{"Cmd":["a"],"Cmd":["b"]}}""")]
    public void A_config_that_cannot_be_meant_is_refused(string json)
    {
        var fault = Assert.Throws<FaultException>(() => Parse(json)).Fault;
        Assert.Equal((FaultKind.InvalidArgument, "image-config.malformed"), (fault.Kind, fault.Code));
    }

    [Fact]
    public void A_manifest_with_another_number_of_layers_is_refused()
    {
        var manifest = new ImageManifest { Config = Descriptor.Of(MediaTypes.OciConfig, []), Layers = [] };

        Assert.Throws<FaultException>(() => Parse($$"""{"rootfs":{{Rootfs}}}""").CheckAgainst(manifest));
    }

    [Fact]
    public void Chain_ids_are_those_of_the_image_spec()
    {
        var a = Digest.Of("a"u8);
        var b = Digest.Of("b"u8);
        var ab = Digest.Of(Encoding.ASCII.GetBytes($"{a} {b}"));

        Assert.Equal([a, ab, Digest.Of(Encoding.ASCII.GetBytes($"{ab} {a}"))], ChainId.Each([a, b, a]));
        Assert.Equal(ab, ChainId.Of([a, b]));
        Assert.True(ChainId.Of([]).IsEmpty);
    }

    private static ImageConfig Parse(string json) => ImageConfig.Parse(Encoding.UTF8.GetBytes(json));
}
