using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Runtime.Tests.Support;

/// <summary>What happens to one answer on its way.</summary>
/// <param name="CutAfter">Bytes of the body after which the connection breaks.</param>
/// <param name="Corrupt">Flips a bit in the body's first byte.</param>
/// <param name="Hold">Bytes after which the body waits.</param>
public sealed record Tampering(long? CutAfter = null, bool Corrupt = false, (long After, Task Until)? Hold = null);

/// <summary>Between a client and a registry: counts requests, and breaks answers as a test asks for.</summary>
public sealed class RegistryProxy : IDisposable
{
    private readonly HttpClient _registry = new();
    private readonly HttpListener _listener = new();
    private readonly string _target;

    public RegistryProxy(RegistryFixture registry)
    {
        _target = registry.Host;
        Port = FreePort();
        _listener.Prefixes.Add($"http://127.0.0.1:{Port}/");
        _listener.Start();
        _ = ServeAsync();
    }

    public int Port { get; }

    public string Host => $"127.0.0.1:{Port}";

    /// <summary>Method, path and range, in order of arrival.</summary>
    public ConcurrentQueue<(string Method, string Path, string Range)> Requests { get; } = [];

    /// <summary>Asked for each blob; null lets it through as it is.</summary>
    public Func<string, Tampering?> Tamper { get; set; } = _ => null;

    public int BlobRequests(string digest) => Requests.Count(request => request.Method == "GET" && request.Path.EndsWith($"/blobs/{digest}", StringComparison.Ordinal));

    public void Dispose()
    {
        _listener.Close();
        _registry.Dispose();
    }

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            try
            {
                var context = await _listener.GetContextAsync();
                _ = Task.Run(() => AnswerAsync(context));
            }
            catch (Exception closed) when (closed is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        var path = context.Request.Url!.AbsolutePath;
        Requests.Enqueue((context.Request.HttpMethod, path, context.Request.Headers["Range"] ?? ""));
        try
        {
            using var request = new HttpRequestMessage(new HttpMethod(context.Request.HttpMethod), $"http://{_target}{path}");
            foreach (var name in (string[])["Accept", "Range", "Authorization"])
            {
                if (context.Request.Headers[name] is { } value) request.Headers.TryAddWithoutValidation(name, value);
            }
            using var answer = await _registry.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            context.Response.StatusCode = (int)answer.StatusCode;
            foreach (var header in answer.Headers.Concat(answer.Content.Headers))
            {
                if (header.Key is "Docker-Content-Digest" or "Content-Type" or "Content-Range" or "Www-Authenticate" or "WWW-Authenticate")
                    context.Response.Headers[header.Key] = string.Join(',', header.Value);
            }
            context.Response.ContentLength64 = answer.Content.Headers.ContentLength ?? 0;
            if (context.Request.HttpMethod != "HEAD")
                await CopyAsync(await answer.Content.ReadAsStreamAsync(), context.Response, path.Contains("/blobs/", StringComparison.Ordinal) ? Tamper(path) : null);
            context.Response.Close();
        }
        catch (Exception gone) when (gone is HttpListenerException or IOException or ObjectDisposedException or HttpRequestException)
        {
            context.Response.Abort();
        }
    }

    private static async Task CopyAsync(Stream from, HttpListenerResponse to, Tampering? tampering)
    {
        var buffer = new byte[16 * 1024];
        var sent = 0L;
        for (int read; (read = await from.ReadAsync(buffer)) > 0; sent += read)
        {
            if (tampering is { Corrupt: true } && sent == 0) buffer[0] ^= 1;
            if (tampering?.Hold is { } hold && sent + read > hold.After) await hold.Until;
            if (tampering?.CutAfter is { } cut && sent + read > cut)
            {
                await to.OutputStream.WriteAsync(buffer.AsMemory(0, (int)(cut - sent)));
                await to.OutputStream.FlushAsync();
                to.Abort();
                return;
            }
            await to.OutputStream.WriteAsync(buffer.AsMemory(0, read));
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
