using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using Runtime.Linux;

namespace Runtime.Actors.Shims;

/// <summary>
/// What the OCI runtimes say of themselves: the <c>features</c> command of the runtime spec 1.1 (features.md), with
/// what this kernel can do. Asked once for each binary, and again in the background when the binary has been replaced.
/// </summary>
/// <param name="limit">Of one run; a runtime that does not answer has no features.</param>
public sealed class RuntimeFeatures(RuntimeHandlers handlers, KernelFeatures kernel, TimeSpan limit) : IHandlerFeatures
{
    private const string ShimOfOciRuntimes = "io.containerd.runc.v2";
    private const int OutputCharsMax = 1024 * 1024;

    private readonly ConcurrentDictionary<string, Answer> _byBinary = new();

    /// <param name="Asked">When the binary was changed last, as it was asked.</param>
    private sealed record Answer(DateTime Asked, HandlerFeatures Features);

    /// <summary>Asks every runtime, all at once.</summary>
    public Task ProbeAsync(CancellationToken cancellation) =>
        Task.WhenAll(handlers.ByName.Values.Select(BinaryOf).OfType<string>().Distinct().Select(binary => ProbeAsync(binary, cancellation)));

    public HandlerFeatures FeaturesOf(string handler)
    {
        if (!handlers.ByName.TryGetValue(handler, out var known) || BinaryOf(known) is not { } binary) return HandlerFeatures.None;
        if (!_byBinary.TryGetValue(binary, out var answer)) return HandlerFeatures.None;
        var changed = File.GetLastWriteTimeUtc(binary);
        // Whoever sees the new one first has it asked; until the answer comes the old one counts.
        if (changed != answer.Asked && _byBinary.TryUpdate(binary, answer with { Asked = changed }, answer))
            _ = Task.Run(() => ProbeAsync(binary, CancellationToken.None));
        return answer.Features;
    }

    /// <summary>Reads what a runtime wrote; what it does not mention it cannot do.</summary>
    internal static HandlerFeatures Read(string json, KernelFeatures kernel)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var rro = document.RootElement is { ValueKind: JsonValueKind.Object } root
                && root.TryGetProperty("mountOptions", out var options) && options.ValueKind == JsonValueKind.Array
                && options.EnumerateArray().Any(option => option.ValueKind == JsonValueKind.String && option.ValueEquals("rro"));
            return new HandlerFeatures(rro && kernel.HasMountSetattr, HasIdmap(document.RootElement) && kernel.HasIdMappedLayers);
        }
        catch (JsonException)
        {
            return HandlerFeatures.None; // an older one that writes its help
        }
    }

    private static bool HasIdmap(JsonElement root)
    {
        foreach (var name in new[] { "linux", "mountExtensions", "idmap", "enabled" })
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty(name, out root)) return false;
        return root.ValueKind == JsonValueKind.True;
    }

    private async Task ProbeAsync(string binary, CancellationToken cancellation)
    {
        var asked = File.GetLastWriteTimeUtc(binary);
        _byBinary[binary] = new Answer(asked, Read(await AskAsync(binary, cancellation), kernel));
    }

    /// <summary>What it wrote; empty where it failed.</summary>
    private async Task<string> AskAsync(string binary, CancellationToken cancellation)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limited.CancelAfter(limit);
        try
        {
            using var process = Process.Start(new ProcessStartInfo(binary, ["features"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
                WorkingDirectory = "/",
            })!;
            try
            {
                process.StandardInput.Close();
                var complaints = ReadAsync(process.StandardError, limited.Token);
                var written = await ReadAsync(process.StandardOutput, limited.Token);
                await complaints;
                await process.WaitForExitAsync(limited.Token);
                return process.ExitCode == 0 ? written : "";
            }
            finally
            {
                if (!process.HasExited) process.Kill(entireProcessTree: true);
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return ""; // it did not answer in time
        }
        catch (Win32Exception)
        {
            return ""; // it cannot be run: creating a container will say why
        }
    }

    private static async Task<string> ReadAsync(StreamReader from, CancellationToken cancellation)
    {
        var text = new System.Text.StringBuilder();
        var buffer = new char[4096];
        int count;
        while ((count = await from.ReadAsync(buffer, cancellation)) > 0)
            if (text.Length < OutputCharsMax) text.Append(buffer, 0, count);
        return text.ToString();
    }

    /// <summary>Null where there is none to ask: another kind of shim's, or none on PATH. Where the shim is does not matter.</summary>
    private static string? BinaryOf(RuntimeHandler handler)
    {
        if (handler.RuntimeType != ShimOfOciRuntimes) return null;
        var name = handler.Options.BinaryName.Length > 0 ? handler.Options.BinaryName : "runc";
        return name.Contains('/')
            ? name
            : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
                .Select(place => Path.Combine(place, name)).FirstOrDefault(File.Exists);
    }
}
