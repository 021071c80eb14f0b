using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using Runtime.Faults;
using Runtime.Oci.Images;
using Runtime.Oci.Registry;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Registry;

/// <summary>Token servers and redirects, and who gets to see which secret.</summary>
public sealed class RegistryAuthTests
{
    private static readonly byte[] Manifest = new ImageManifest
    {
        MediaType = MediaTypes.OciManifest,
        Config = Descriptor.Of(MediaTypes.OciConfig, "{}"u8),
        Layers = [],
    }.ToBytes();

    private static readonly Descriptor Target = Descriptor.Of(MediaTypes.OciManifest, Manifest);
    private static readonly RegistryCredential Alice = new() { Username = "alice", Password = "wonderland" };
    private static readonly string AliceBasic = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("alice:wonderland"));

    private static readonly RegistryOptions Quick = new()
    {
        FirstDelay = TimeSpan.FromMilliseconds(2),
        MaxDelay = TimeSpan.FromMilliseconds(20),
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_token_is_fetched_once_for_parallel_requests(bool anonymous)
    {
        await using var tokens = await TestHttpServer.StartAsync(context => context.Response.WriteAsync("""{"access_token":"t1","expires_in":300}"""));
        await using var server = await GuardedAsync(tokens, "t1");
        using var client = new RegistryClient(Quick, TimeProvider.System);
        using var session = client.Open(Reference(server), anonymous ? null : Alice);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => session.FetchManifestAsync(Target, Cancellation)));
        await session.ResolveAsync(Cancellation);

        var asked = Assert.Single(tokens.Seen);
        Assert.Equal("GET /token?service=reg&scope=repository%3Aa%2Fb%3Apull", asked.ToString());
        Assert.Equal(anonymous ? null : AliceBasic, asked["Authorization"]);
        Assert.All(server.Seen, request => Assert.True(request["Authorization"] is null or "Bearer t1"));
    }

    [Fact]
    public async Task A_token_is_renewed_before_it_ends_and_when_it_is_refused()
    {
        var clock = new FakeTimeProvider();
        var current = 0;
        await using var tokens = await TestHttpServer.StartAsync(
            context => context.Response.WriteAsync($$"""{"token":"t{{Interlocked.Increment(ref current)}}","expires_in":100}"""));
        await using var server = await TestHttpServer.StartAsync(context => AnswerAsync(context, tokens, $"t{Volatile.Read(ref current)}"));
        using var client = new RegistryClient(Quick, clock);
        using var session = client.Open(Reference(server), Alice);

        await session.ResolveAsync(Cancellation);
        clock.Advance(TimeSpan.FromSeconds(94));
        await session.ResolveAsync(Cancellation);
        Assert.Single(tokens.Seen);
        clock.Advance(TimeSpan.FromSeconds(2));
        await session.ResolveAsync(Cancellation);
        Assert.Equal(2, tokens.Seen.Count);
        Assert.Equal(4, server.Seen.Count);

        Interlocked.Increment(ref current);
        await session.ResolveAsync(Cancellation);
        Assert.Equal(3, tokens.Seen.Count);
    }

    [Fact]
    public async Task An_identity_token_is_posted_and_a_server_that_knows_only_get_is_asked_that_way()
    {
        var forms = new List<string>();
        var onlyGet = false;
        await using var tokens = await TestHttpServer.StartAsync(async context =>
        {
            if (context.Request.Method == "POST" && onlyGet)
            {
                context.Response.StatusCode = 405;
                return;
            }
            if (context.Request.Method == "POST") forms.Add(await new StreamReader(context.Request.Body).ReadToEndAsync());
            await context.Response.WriteAsync("""{"token":"t1"}""");
        });
        await using var server = await GuardedAsync(tokens, "t1");
        using var client = new RegistryClient(Quick, TimeProvider.System);
        var credential = new RegistryCredential { Username = "alice", IdentityToken = "refresh-me" };

        using (var session = client.Open(Reference(server), credential)) await session.ResolveAsync(Cancellation);
        Assert.Contains("grant_type=refresh_token&refresh_token=refresh-me", Assert.Single(forms), StringComparison.Ordinal);

        onlyGet = true;
        using (var session = client.Open(Reference(server), credential)) await session.ResolveAsync(Cancellation);
        Assert.Equal(["POST", "POST", "GET"], tokens.Seen.Select(request => request.Method));
    }

    [Fact]
    public async Task A_registry_token_is_sent_as_it_is_and_not_replaced_when_refused()
    {
        await using var tokens = await TestHttpServer.StartAsync(context => context.Response.WriteAsync("""{"token":"other"}"""));
        await using var server = await GuardedAsync(tokens, "mine");
        using var client = new RegistryClient(Quick, TimeProvider.System);

        using (var session = client.Open(Reference(server), new RegistryCredential { RegistryToken = "mine" })) await session.ResolveAsync(Cancellation);
        Assert.Single(server.Seen);
        using var wrong = client.Open(Reference(server), new RegistryCredential { RegistryToken = "not-this" });
        var fault = (await Assert.ThrowsAsync<FaultException>(() => wrong.ResolveAsync(Cancellation))).Fault;

        Assert.Equal("registry.unauthorized", fault.Code);
        Assert.DoesNotContain("not-this", fault.Message, StringComparison.Ordinal);
        Assert.Empty(tokens.Seen);
    }

    [Theory]
    [InlineData(401, "no", "registry.unauthorized")]
    [InlineData(200, "no json", "registry.bad-answer")]
    [InlineData(200, "{}", "registry.bad-answer")]
    [InlineData(200, "{\"token\":\"a\\r\\nX-Evil: 1\"}", "registry.bad-answer")]
    public async Task A_token_server_that_refuses_or_talks_nonsense_is_named(int status, string body, string code)
    {
        await using var tokens = await TestHttpServer.StartAsync(context =>
        {
            context.Response.StatusCode = status;
            return context.Response.WriteAsync(body);
        });
        await using var server = await GuardedAsync(tokens, "t1");
        using var client = new RegistryClient(Quick, TimeProvider.System);
        using var session = client.Open(Reference(server), Alice);

        var fault = (await Assert.ThrowsAsync<FaultException>(() => session.ResolveAsync(Cancellation))).Fault;

        Assert.Equal(code, fault.Code);
        Assert.Contains(tokens.Host, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("wonderland", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ftp://127.0.0.1/token")]
    [InlineData("file:///etc/passwd")]
    [InlineData("http://user:pass@127.0.0.1/token")]
    [InlineData("nonsense")]
    public async Task A_realm_that_is_no_http_server_is_refused(string realm)
    {
        await using var server = await TestHttpServer.StartAsync(context =>
        {
            context.Response.StatusCode = 401;
            context.Response.Headers.WWWAuthenticate = $"Bearer realm=\"{realm}\"";
            return Task.CompletedTask;
        });
        using var client = new RegistryClient(Quick, TimeProvider.System);
        using var session = client.Open(Reference(server), Alice);

        Assert.Equal("registry.bad-answer", (await Assert.ThrowsAsync<FaultException>(() => session.ResolveAsync(Cancellation))).Fault.Code);
    }

    [Fact]
    public async Task A_mirror_never_sees_the_registrys_credential_nor_the_registry_the_mirrors_header()
    {
        RequestDelegate demand = context =>
        {
            context.Response.StatusCode = 401;
            context.Response.Headers.WWWAuthenticate = "Basic realm=x";
            return Task.CompletedTask;
        };
        await using var mirror = await TestHttpServer.StartAsync(demand);
        await using var origin = await TestHttpServer.StartAsync(
            context => context.Request.Headers.Authorization == AliceBasic ? SendAsync(context) : demand(context));
        using var certs = new TempDirectory();
        Directory.CreateDirectory(certs[origin.Host]);
        await File.WriteAllTextAsync(
            Path.Combine(certs[origin.Host], "hosts.toml"), $"[host.\"http://{mirror.Host}\".header]\nx-mirror = \"key\"\n", Cancellation);
        using var client = new RegistryClient(Quick with { ConfigPath = certs.Path }, TimeProvider.System);
        using var session = client.Open(Reference(origin), Alice);

        Assert.Equal(Target, await session.ResolveAsync(Cancellation));

        Assert.All(mirror.Seen, request => Assert.Equal((null, "key"), (request["Authorization"], request["x-mirror"])));
        Assert.All(origin.Seen, request => Assert.Null(request["x-mirror"]));
        Assert.NotEmpty(mirror.Seen);
    }

    [Fact]
    public async Task A_redirect_to_another_host_is_followed_without_secrets_and_one_to_the_same_host_with_them()
    {
        await using var storage = await TestHttpServer.StartAsync(SendAsync, "127.0.0.2");
        await using var server = await TestHttpServer.StartAsync(context =>
        {
            if (context.Request.Headers.Authorization != AliceBasic)
            {
                context.Response.StatusCode = 401;
                context.Response.Headers.WWWAuthenticate = "Basic realm=x";
            }
            else
            {
                context.Response.Redirect(context.Request.Path.StartsWithSegments("/v2") ? "/moved" : $"http://{storage.Host}/object?signature=s3cret");
            }
            return Task.CompletedTask;
        });
        using var client = new RegistryClient(Quick, TimeProvider.System);
        using var session = client.Open(Reference(server), Alice);

        Assert.Equal(Manifest, (await session.FetchManifestAsync(Target, Cancellation)).Bytes.ToArray());

        Assert.Null(Assert.Single(storage.Seen)["Authorization"]);
        Assert.Equal(AliceBasic, server.Seen.Single(request => request.Path == "/moved")["Authorization"]);
    }

    [Fact]
    public async Task Redirects_without_end_are_refused()
    {
        await using var server = await TestHttpServer.StartAsync(context =>
        {
            context.Response.Redirect(context.Request.Path + "x");
            return Task.CompletedTask;
        });
        using var client = new RegistryClient(Quick, TimeProvider.System);
        using var session = client.Open(Reference(server), null);

        Assert.Equal("registry.bad-answer", (await Assert.ThrowsAsync<FaultException>(() => session.ResolveAsync(Cancellation))).Fault.Code);
        Assert.InRange(server.Seen.Count, 10, 12);
    }

    private static ImageReference Reference(TestHttpServer server) => ImageReference.Parse($"{server.Host}/a/b:x");

    private static Task<TestHttpServer> GuardedAsync(TestHttpServer tokens, string token) =>
        TestHttpServer.StartAsync(context => AnswerAsync(context, tokens, token));

    private static Task AnswerAsync(HttpContext context, TestHttpServer tokens, string token)
    {
        if (context.Request.Headers.Authorization == $"Bearer {token}") return SendAsync(context);
        context.Response.StatusCode = 401;
        context.Response.Headers.WWWAuthenticate = $"Bearer realm=\"http://{tokens.Host}/token\",service=\"reg\"";
        return Task.CompletedTask;
    }

    private static async Task SendAsync(HttpContext context)
    {
        context.Response.ContentType = MediaTypes.OciManifest;
        context.Response.ContentLength = Manifest.Length;
        context.Response.Headers["Docker-Content-Digest"] = Target.Digest.ToString();
        if (context.Request.Method != "HEAD") await context.Response.Body.WriteAsync(Manifest);
    }
}
