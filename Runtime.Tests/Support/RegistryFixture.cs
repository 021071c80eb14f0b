using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Runtime.Tests.Support;

/// <summary>
/// A real registry (Docker distribution) on a free port of loopback, plain HTTP, with storage of its own. Use it as an xunit
/// class fixture, or start one: <c>await using var registry = await RegistryFixture.StartAsync()</c>.
/// </summary>
public sealed class RegistryFixture : IAsyncLifetime
{
    public const string User = "alice";
    public const string Password = "wonderland";

    // bcrypt of Password.
    private const string Htpasswd = User + ":$2b$04$FVo.6luN73oIKIH0cTFb5ehTksN.DVd/gfLev8xFyR9AGfh28qmk.\n";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    private readonly TempDirectory _directory = new();
    private Process? _process;

    /// <summary>True: every request needs <see cref="User"/> and <see cref="Password"/> (Basic). Set before the start.</summary>
    public bool WithPassword { get; init; }

    public int Port { get; private set; }

    /// <summary><c>127.0.0.1:PORT</c>.</summary>
    public string Host => $"127.0.0.1:{Port}";

    /// <summary>Where the registry keeps its files; a test may damage them.</summary>
    public string Storage => _directory["storage"];

    public static async Task<RegistryFixture> StartAsync(bool withPassword = false)
    {
        var registry = new RegistryFixture { WithPassword = withPassword };
        await registry.InitializeAsync();
        return registry;
    }

    public async ValueTask InitializeAsync()
    {
        Port = FreePort();
        Directory.CreateDirectory(Storage);
        await File.WriteAllTextAsync(_directory["htpasswd"], Htpasswd);
        await File.WriteAllTextAsync(_directory["config.yml"], Config());
        _process = Process.Start(new ProcessStartInfo("docker-registry", ["serve", _directory["config.yml"]])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        })!;
        // Its output must be read, or it stops at a full pipe; a failed start is explained by it.
        var log = new List<string>();
        DataReceivedEventHandler keep = (_, line) => { lock (log) { if (log.Count < 100 && line.Data is not null) log.Add(line.Data); } };
        _process.OutputDataReceived += keep;
        _process.ErrorDataReceived += keep;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await AnswersAsync(log);
    }

    /// <summary>Pushes an image as <c>HOST/name</c>, where <paramref name="name"/> is <c>repository:tag</c>.</summary>
    /// <returns>The full reference.</returns>
    public async Task<string> PushAsync(TestImage image, string name)
    {
        string[] credentials = WithPassword ? ["--dest-creds", $"{User}:{Password}"] : ["--dest-no-creds"];
        await Tool.RunAsync(
            "skopeo",
            ["--insecure-policy", "copy", "--quiet", "--preserve-digests", "--dest-tls-verify=false", .. credentials,
                $"oci:{image.Layout}:{TestImage.Tag}", $"docker://{Host}/{name}"]);
        return $"{Host}/{name}";
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { } process)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
        _directory.Dispose();
    }

    private async Task AnswersAsync(List<string> log)
    {
        using var http = new HttpClient();
        using var limit = new CancellationTokenSource(StartLimit);
        while (true)
        {
            if (_process!.HasExited) throw new InvalidOperationException($"docker-registry did not start: {string.Join('\n', log)}");
            try
            {
                using var answer = await http.GetAsync(new Uri($"http://{Host}/v2/"), limit.Token);
                if (answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.Unauthorized) return;
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }
            await Task.Delay(20, limit.Token);
        }
    }

    private string Config() =>
        $"""
        version: 0.1
        log: {"{"} level: warn {"}"}
        storage:
          filesystem: {"{"} rootdirectory: {Storage} {"}"}
          delete: {"{"} enabled: true {"}"}
        http: {"{"} addr: "{Host}", secret: "actord tests" {"}"}
        {(WithPassword ? $$"""auth: { htpasswd: { realm: tests, path: {{_directory["htpasswd"]}} } }""" : "")}
        """;

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
