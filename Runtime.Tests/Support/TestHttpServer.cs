using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Runtime.Tests.Support;

/// <summary>A request that <see cref="TestHttpServer"/> got.</summary>
public sealed record SeenRequest(string Method, string Path, string Query, IReadOnlyDictionary<string, string> Headers)
{
    public string? this[string header] => Headers.GetValueOrDefault(header);

    public override string ToString() => $"{Method} {Path}{Query}";
}

/// <summary>An HTTP server on loopback that does what the test says, for what real registries cannot be made to do.</summary>
public sealed class TestHttpServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<SeenRequest> _seen = new();

    private TestHttpServer(WebApplication app) => _app = app;

    /// <summary><c>127.0.0.1:PORT</c>.</summary>
    public string Host { get; private set; } = "";

    /// <summary>In the order of arrival.</summary>
    public IReadOnlyList<SeenRequest> Seen => [.. _seen];

    /// <param name="answer">Runs for each request; <c>context.Abort()</c> cuts the connection.</param>
    /// <param name="address">Another loopback address makes another host.</param>
    /// <param name="certificate">PEM files for TLS; null for plain HTTP.</param>
    public static async Task<TestHttpServer> StartAsync(
        RequestDelegate answer, string address = "127.0.0.1", (string Certificate, string Key)? certificate = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddLogging(logging => logging.ClearProviders());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Parse(address), 0, listen =>
        {
            if (certificate is { } pem)
            {
                listen.UseHttps(System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPemFile(
                    pem.Certificate, pem.Key));
            }
        }));
        if (certificate is not null) builder.WebHost.UseKestrelHttpsConfiguration();
        var server = new TestHttpServer(builder.Build());
        server._app.Run(context =>
        {
            var request = context.Request;
            server._seen.Enqueue(new SeenRequest(
                request.Method, request.Path, request.QueryString.ToString(),
                request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase)));
            return answer(context);
        });
        await server._app.StartAsync();
        var url = server._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        server.Host = new Uri(url).Authority;
        return server;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
