using Microsoft.AspNetCore.Http;
using Runtime.Faults;
using Runtime.Oci.Images;
using Runtime.Oci.Registry;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Registry;

/// <summary>Certificates of hosts.toml, made by openssl.</summary>
public sealed class RegistryTlsTests
{
    private static readonly byte[] Manifest = new ImageManifest
    {
        MediaType = MediaTypes.OciManifest,
        Config = Descriptor.Of(MediaTypes.OciConfig, "{}"u8),
        Layers = [],
    }.ToBytes();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("", false)]
    [InlineData("ca = \"ca.pem\"", true)]
    [InlineData("skip_verify = true", true)]
    [InlineData("ca = \"other.pem\"", false)]
    public async Task A_private_authority_counts_only_where_it_is_configured(string setting, bool works)
    {
        using var certs = new TempDirectory();
        await MakeAsync(certs, "ca", "server", "127.0.0.1");
        await MakeAsync(certs, "other", "unused", "127.0.0.1");
        await using var server = await TestHttpServer.StartAsync(SendAsync, certificate: (certs["server.pem"], certs["server.key"]));

        var fault = await FetchAsync(certs, server, setting);

        Assert.Equal(works ? null : "registry.tls", fault?.Code);
    }

    [Fact]
    public async Task A_certificate_for_another_name_is_refused_even_of_a_trusted_authority()
    {
        using var certs = new TempDirectory();
        await MakeAsync(certs, "ca", "server", "127.9.9.9");
        await using var server = await TestHttpServer.StartAsync(SendAsync, certificate: (certs["server.pem"], certs["server.key"]));

        Assert.Equal("registry.tls", (await FetchAsync(certs, server, "ca = \"ca.pem\""))?.Code);
    }

    [Fact]
    public async Task A_certificate_file_that_is_missing_is_named()
    {
        using var certs = new TempDirectory();
        await using var server = await TestHttpServer.StartAsync(SendAsync);

        var fault = await FetchAsync(certs, server, "ca = \"missing.pem\"");

        Assert.Equal("registry.config", fault?.Code);
        Assert.Contains("missing.pem", fault!.Message, StringComparison.Ordinal);
    }

    private static async Task<RuntimeFault?> FetchAsync(TempDirectory certs, TestHttpServer server, string setting)
    {
        var hosts = HostsFile.Parse($"server = \"https://{server.Host}\"\n{setting}\n", server.Host, certs.Path);
        using var client = new RegistryClient(new RegistryOptions { Attempts = 1 }, TimeProvider.System);
        using var session = client.Open(ImageReference.Parse($"{server.Host}/a/b:x"), null, hosts);
        try
        {
            await session.FetchManifestAsync(Digest.Of(Manifest), Cancellation);
            return null;
        }
        catch (FaultException refused)
        {
            return refused.Fault;
        }
    }

    private static async Task MakeAsync(TempDirectory certs, string authority, string server, string address)
    {
        await Tool.RunAsync(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", $"/CN={authority}", "-keyout", certs[$"{authority}.key"], "-out", certs[$"{authority}.pem"]);
        await Tool.RunAsync(
            "openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", $"/CN={server}", "-keyout", certs[$"{server}.key"], "-out", certs[$"{server}.csr"]);
        await File.WriteAllTextAsync(certs["san"], $"subjectAltName=IP:{address}\n");
        await Tool.RunAsync(
            "openssl", "x509", "-req", "-days", "2", "-in", certs[$"{server}.csr"], "-CA", certs[$"{authority}.pem"], "-CAkey",
            certs[$"{authority}.key"], "-CAcreateserial", "-extfile", certs["san"], "-out", certs[$"{server}.pem"]);
    }

    private static async Task SendAsync(HttpContext context)
    {
        context.Response.ContentType = MediaTypes.OciManifest;
        context.Response.ContentLength = Manifest.Length;
        await context.Response.Body.WriteAsync(Manifest);
    }
}
