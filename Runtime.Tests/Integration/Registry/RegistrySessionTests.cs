using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using Runtime.Faults;
using Runtime.Oci.Images;
using Runtime.Oci.Registry;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Registry;

/// <summary>What a registry may do wrong, by a server that does it.</summary>
public sealed class RegistrySessionTests
{
    private static readonly byte[] Manifest = new ImageManifest
    {
        MediaType = MediaTypes.OciManifest,
        Config = Descriptor.Of(MediaTypes.OciConfig, "{}"u8),
        Layers = [],
    }.ToBytes();

    private static readonly Descriptor Target = Descriptor.Of(MediaTypes.OciManifest, Manifest);
    private static readonly byte[] Blob = [.. Enumerable.Range(0, 300_000).Select(i => (byte)(i * 31 / 7))];
    private static readonly Descriptor Layer = Descriptor.Of(MediaTypes.OciLayer, Blob);

    private static readonly RegistryOptions Quick = new()
    {
        FirstDelay = TimeSpan.FromMilliseconds(2),
        MaxDelay = TimeSpan.FromMilliseconds(20),
        StallTimeout = TimeSpan.FromSeconds(20),
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_tag_is_resolved_by_head_alone()
    {
        await using var server = await TestHttpServer.StartAsync(ServeAsync);
        using var client = new RegistryClient(Quick, TimeProvider.System);
        using var session = client.Open(Reference(server), null);

        Assert.Equal(Target, await session.ResolveAsync(Cancellation));
        Assert.Equal(["HEAD /v2/a/b/manifests/x"], server.Seen.Select(request => request.ToString()));
    }

    [Theory]
    [InlineData("no digest")]
    [InlineData("no head")]
    [InlineData("odd type")]
    public async Task A_registry_with_a_poor_head_is_asked_by_get(string lack)
    {
        await using var server = await TestHttpServer.StartAsync(async context =>
        {
            if (lack is "no head" && context.Request.Method == "HEAD")
                context.Response.StatusCode = 405;
            else
                await SendAsync(context, Manifest, lack is "odd type" ? "application/json" : MediaTypes.OciManifest, lack is "no digest" ? null : Target.Digest);
        });
        using var client = new RegistryClient(Quick, TimeProvider.System);
        using var session = client.Open(Reference(server), null);

        Assert.Equal(Target, await session.ResolveAsync(Cancellation));
        Assert.Equal(["HEAD", "GET"], server.Seen.Select(request => request.Method));
    }

    [Fact]
    public async Task A_manifest_with_another_digest_is_refused()
    {
        await using var server = await TestHttpServer.StartAsync(context => SendAsync(context, "{}"u8.ToArray(), MediaTypes.OciManifest, Target.Digest));
        using var client = new RegistryClient(Quick, TimeProvider.System);
        using var session = client.Open(Reference(server), null);

        var fault = (await Assert.ThrowsAsync<FaultException>(() => session.FetchManifestAsync(Target.Digest, Cancellation))).Fault;

        Assert.Equal((FaultKind.DataLoss, "registry.digest-mismatch"), (fault.Kind, fault.Code));
        Assert.Contains(server.Host, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pinned_reference_that_resolves_to_another_digest_is_refused()
    {
        await using var server = await TestHttpServer.StartAsync(context => SendAsync(context, Manifest, MediaTypes.OciManifest, Target.Digest));
        using var client = new RegistryClient(Quick, TimeProvider.System);
        using var session = client.Open(Reference(server).At(Digest.OfNothing), null);

        Assert.Equal("registry.digest-mismatch", (await Assert.ThrowsAsync<FaultException>(() => session.ResolveAsync(Cancellation))).Fault.Code);
    }

    [Fact]
    public async Task A_manifest_without_end_is_cut_off()
    {
        await using var server = await TestHttpServer.StartAsync(async context =>
        {
            context.Response.ContentType = MediaTypes.OciManifest;
            var page = new byte[64 * 1024];
            while (!context.RequestAborted.IsCancellationRequested) await context.Response.Body.WriteAsync(page, context.RequestAborted);
        });
        using var client = new RegistryClient(Quick, TimeProvider.System);
        using var session = client.Open(Reference(server), null);

        Assert.Equal("registry.bad-answer", (await Assert.ThrowsAsync<FaultException>(() => session.FetchManifestAsync(Target.Digest, Cancellation))).Fault.Code);
    }

    [Theory]
    [InlineData(401, FaultKind.Unauthenticated, "registry.unauthorized", 1)]
    [InlineData(403, FaultKind.PermissionDenied, "registry.unauthorized", 1)]
    [InlineData(404, FaultKind.NotFound, "registry.not-found", 1)]
    [InlineData(418, FaultKind.FailedPrecondition, "registry.refused", 1)]
    [InlineData(429, FaultKind.ResourceExhausted, "registry.rate-limited", 5)]
    [InlineData(500, FaultKind.Unavailable, "registry.unavailable", 5)]
    [InlineData(503, FaultKind.Unavailable, "registry.unavailable", 5)]
    public async Task A_refusal_is_a_fault_that_names_host_reference_status_and_reason(int status, FaultKind kind, string code, int attempts)
    {
        await using var server = await TestHttpServer.StartAsync(async context =>
        {
            context.Response.StatusCode = status;
            await context.Response.WriteAsync("""{"errors":[{"code":"DENIED","message":"because of\nme"}]}""");
        });
        using var client = new RegistryClient(Quick, TimeProvider.System);
        using var session = client.Open(Reference(server), null);

        var fault = (await Assert.ThrowsAsync<FaultException>(() => session.FetchManifestAsync(Target.Digest, Cancellation))).Fault;

        Assert.Equal((kind, code, attempts), (fault.Kind, fault.Code, server.Seen.Count));
        foreach (var part in (string[])[server.Host, "a/b", Target.Digest.Hex, $"{status}", "DENIED because of?me"])
            Assert.Contains(part, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_error_and_a_cut_connection_are_tried_again()
    {
        var requests = 0;
        await using var server = await TestHttpServer.StartAsync(async context =>
        {
            switch (Interlocked.Increment(ref requests))
            {
                case 1: context.Response.StatusCode = 502; break;
                case 2: context.Abort(); break;
                default: await ServeAsync(context); break;
            }
        });
        using var client = new RegistryClient(Quick, TimeProvider.System);
        using var session = client.Open(Reference(server), null);

        Assert.Equal(Manifest, (await session.FetchManifestAsync(Target, Cancellation)).Bytes.ToArray());
        Assert.Equal(3, server.Seen.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Retry_after_is_waited_for_in_both_of_its_forms(bool asDate)
    {
        var clock = new FakeTimeProvider();
        var start = clock.GetUtcNow();
        var secondAt = DateTimeOffset.MinValue;
        var requests = 0;
        await using var server = await TestHttpServer.StartAsync(async context =>
        {
            if (Interlocked.Increment(ref requests) == 1)
            {
                context.Response.StatusCode = 429;
                context.Response.Headers.RetryAfter =
                    asDate ? start.AddSeconds(17).ToString("R", CultureInfo.InvariantCulture) : "17";
                return;
            }
            secondAt = clock.GetUtcNow();
            await ServeAsync(context);
        });
        using var client = new RegistryClient(new RegistryOptions { ResponseTimeout = TimeSpan.FromDays(2) }, clock);
        using var session = client.Open(Reference(server), null);

        var resolving = session.ResolveAsync(Cancellation);
        while (!resolving.IsCompleted)
        {
            clock.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Delay(1, Cancellation);
        }

        Assert.Equal(Target, await resolving);
        Assert.True(secondAt - start >= TimeSpan.FromSeconds(17), $"Came back after {secondAt - start}.");
    }

    [Fact]
    public async Task A_server_that_asks_for_more_patience_than_the_limit_fails_at_once()
    {
        await using var server = await TestHttpServer.StartAsync(context =>
        {
            context.Response.StatusCode = 429;
            context.Response.Headers.RetryAfter = "3600";
            return Task.CompletedTask;
        });
        using var client = new RegistryClient(Quick, TimeProvider.System);
        using var session = client.Open(Reference(server), null);

        var fault = (await Assert.ThrowsAsync<FaultException>(() => session.FetchManifestAsync(Target, Cancellation))).Fault;

        Assert.Equal("registry.rate-limited", fault.Code);
        Assert.Contains("3600 s", fault.Message, StringComparison.Ordinal);
        Assert.Single(server.Seen);
    }

    [Fact]
    public async Task A_failing_mirror_is_followed_by_the_next_host_and_both_are_named_when_all_fail()
    {
        await using var bad = await TestHttpServer.StartAsync(context => { context.Response.StatusCode = 500; return Task.CompletedTask; });
        await using var lying = await TestHttpServer.StartAsync(context => SendAsync(context, "{}"u8.ToArray(), MediaTypes.OciManifest, Target.Digest));
        await using var good = await TestHttpServer.StartAsync(ServeAsync);
        using var certs = Certs(good.Host, $"""
            [host."http://{bad.Host}"]
            [host."http://{lying.Host}"]
            """);
        using var client = new RegistryClient(Quick with { ConfigPath = certs.Path }, TimeProvider.System);
        using var session = client.Open(Reference(good), null);

        var manifest = await session.FetchManifestAsync(Target, Cancellation);

        Assert.Equal((good.Host, 2, 1), (manifest.Host, bad.Seen.Count, lying.Seen.Count));
        Assert.Equal($"?ns={Uri.EscapeDataString(good.Host)}", bad.Seen[0].Query);
        Assert.Equal("", good.Seen[0].Query);

        var missing = (await Assert.ThrowsAsync<FaultException>(() => session.FetchManifestAsync(Digest.OfNothing, Cancellation))).Fault;
        Assert.Equal("registry.not-found", missing.Code);
        Assert.All([bad.Host, lying.Host, good.Host], host => Assert.Contains(host, missing.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_mirror_without_the_capability_to_resolve_is_asked_for_content_only()
    {
        await using var mirror = await TestHttpServer.StartAsync(ServeAsync);
        await using var origin = await TestHttpServer.StartAsync(ServeAsync);
        using var certs = Certs(origin.Host, $"[host.\"http://{mirror.Host}\"]\ncapabilities = [\"pull\"]");
        using var client = new RegistryClient(Quick with { ConfigPath = certs.Path }, TimeProvider.System);
        using var session = client.Open(Reference(origin), null);

        await session.ResolveAsync(Cancellation);
        await session.FetchManifestAsync(Target, Cancellation);

        Assert.Equal((1, 1), (origin.Seen.Count, mirror.Seen.Count));
        Assert.Equal("GET", mirror.Seen[0].Method);
    }

    [Fact]
    public async Task Nobody_listening_is_unavailable()
    {
        string host;
        await using (var gone = await TestHttpServer.StartAsync(ServeAsync)) host = gone.Host;
        using var client = new RegistryClient(Quick, TimeProvider.System);
        using var session = client.Open(ImageReference.Parse($"{host}/a/b:x"), null);

        var fault = (await Assert.ThrowsAsync<FaultException>(() => session.ResolveAsync(Cancellation))).Fault;

        Assert.Equal((FaultKind.Unavailable, "registry.unavailable"), (fault.Kind, fault.Code));
        Assert.Contains(host, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_given_up_after_the_limit()
    {
        await using var server = await TestHttpServer.StartAsync(context => Task.Delay(Timeout.Infinite, context.RequestAborted));
        using var client = new RegistryClient(Quick with { ResponseTimeout = TimeSpan.FromMilliseconds(50), Attempts = 2 }, TimeProvider.System);
        using var session = client.Open(Reference(server), null);

        Assert.Equal("registry.unavailable", (await Assert.ThrowsAsync<FaultException>(() => session.ResolveAsync(Cancellation))).Fault.Code);
        Assert.Equal(2, server.Seen.Count);
    }

    [Fact]
    public async Task The_callers_cancellation_is_a_cancellation_and_no_fault()
    {
        using var caller = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        await using var server = await TestHttpServer.StartAsync(async context =>
        {
            await caller.CancelAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        using var client = new RegistryClient(Quick, TimeProvider.System);
        using var session = client.Open(Reference(server), null);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => session.ResolveAsync(caller.Token));
    }

    private static ImageReference Reference(TestHttpServer server) => ImageReference.Parse($"{server.Host}/a/b:x");

    private static TempDirectory Certs(string domain, string text)
    {
        var certs = new TempDirectory();
        Directory.CreateDirectory(certs[domain]);
        File.WriteAllText(Path.Combine(certs[domain], "hosts.toml"), text);
        return certs;
    }

    private static Task ServeAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        if (path == $"/v2/a/b/blobs/{Layer.Digest}") return SendAsync(context, Blob, "application/octet-stream", Layer.Digest);
        if (path is "/v2/a/b/manifests/x" || path == $"/v2/a/b/manifests/{Target.Digest}")
            return SendAsync(context, Manifest, MediaTypes.OciManifest, Target.Digest);
        context.Response.StatusCode = 404;
        return Task.CompletedTask;
    }

    private static async Task SendAsync(HttpContext context, byte[] body, string mediaType, Digest? digest)
    {
        context.Response.ContentType = mediaType;
        context.Response.ContentLength = body.Length;
        if (digest is not null) context.Response.Headers["Docker-Content-Digest"] = digest.ToString();
        if (context.Request.Method != "HEAD") await context.Response.Body.WriteAsync(body);
    }
}
