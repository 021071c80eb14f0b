using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Akka.Event;
using Runtime.Faults;

namespace Runtime.Actors.Network;

/// <summary>One run of a plugin's binary.</summary>
/// <param name="Verb">ADD, CHECK or DEL.</param>
/// <param name="Input">The plugin's configuration, for its standard input.</param>
/// <param name="CancelGrace">What is left of <paramref name="Limit"/> when the call is cancelled.</param>
internal sealed record CniPluginRun(
    string Binary, string Type, string Network, string Verb, string ContainerId, string NetnsPath, string Interface,
    string Args, string SearchPath, string Input, TimeSpan Limit, TimeSpan CancelGrace)
{
    /// <summary>Bytes that a plugin may write; a result with a hundred addresses has 10 KiB. Beyond: refused.</summary>
    private const int OutputMax = 1 << 20;

    /// <summary>How long output may stay open after the exit: something that the plugin left behind holds it.</summary>
    private static readonly TimeSpan OutputGrace = TimeSpan.FromSeconds(2);

    private string What => $"CNI plugin {Type} ({Verb}, network {Network})";

    /// <summary>Runs it, and answers what it wrote to standard output.</summary>
    /// <exception cref="FaultException">It failed, timed out (it and its children are killed), or cannot run.</exception>
    public async Task<byte[]> RunAsync(ILoggingAdapter log, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        using var limit = new CancellationTokenSource(Limit);
        await using var sooner = cancellation.Register(() => limit.CancelAfter(CancelGrace));
        using var process = Start();
        // From here until its exit nothing of it may be left behind: whoever leaves this block kills it.
        try
        {
            var output = ReadAsync(process.StandardOutput.BaseStream, limit.Token);
            var errors = ReadAsync(process.StandardError.BaseStream, limit.Token);
            await FeedAsync(process);
            await process.WaitForExitAsync(limit.Token);
            var written = await output.WaitAsync(OutputGrace, limit.Token);
            var complaints = Encoding.UTF8.GetString(await errors.WaitAsync(OutputGrace, limit.Token)).Trim();
            if (complaints.Length > 0) log.Info("{Plugin} of {ContainerId}: {Text}", What, ContainerId, complaints);
            return process.ExitCode == 0 ? written : throw Failed(process.ExitCode, written, complaints);
        }
        catch (OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested();
            throw new FaultException(FaultKind.DeadlineExceeded, "cni.plugin-timeout",
                $"{What} did not end within {Limit.TotalSeconds:0.#} s and was killed.");
        }
        catch (TimeoutException)
        {
            throw new FaultException(FaultKind.Internal, "cni.plugin-failed",
                $"{What} ended, but something that it started keeps its output open.");
        }
        finally
        {
            await KillAsync(process);
        }
    }

    /// <summary>Returns when it has ended, so that what comes next does not meet it half-way.</summary>
    private static async Task KillAsync(Process process)
    {
        if (process.HasExited) return;
        process.Kill(entireProcessTree: true);
        using var patience = new CancellationTokenSource(OutputGrace);
        await process.WaitForExitAsync(patience.Token).ContinueWith(_ => { }, TaskScheduler.Default);
    }

    private Process Start()
    {
        var start = new ProcessStartInfo(Binary)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = "/",
        };
        start.Environment["CNI_COMMAND"] = Verb;
        start.Environment["CNI_CONTAINERID"] = ContainerId;
        start.Environment["CNI_NETNS"] = NetnsPath;
        start.Environment["CNI_IFNAME"] = Interface;
        start.Environment["CNI_ARGS"] = Args;
        start.Environment["CNI_PATH"] = SearchPath;
        try
        {
            return Process.Start(start) ?? throw new UnreachableException("A process that is not a shell's always starts.");
        }
        catch (Win32Exception refused)
        {
            throw new FaultException(FaultKind.FailedPrecondition, "cni.plugin-missing",
                $"{What}: {Binary} cannot be run: {refused.Message}", refused);
        }
    }

    private async Task FeedAsync(Process process)
    {
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(Encoding.UTF8.GetBytes(Input));
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading: its exit status tells more than the broken pipe.
        }
    }

    private async Task<byte[]> ReadAsync(Stream from, CancellationToken cancellation)
    {
        using var all = new MemoryStream();
        var buffer = new byte[4096];
        int count;
        while ((count = await from.ReadAsync(buffer, cancellation)) > 0)
        {
            if (all.Length + count > OutputMax)
                throw new FaultException(FaultKind.Internal, "cni.plugin-failed", $"{What} wrote more than 1 MiB.");
            all.Write(buffer, 0, count);
        }
        return all.ToArray();
    }

    /// <summary>A failing plugin writes <c>{"code": 7, "msg": "...", "details": "..."}</c>; 11 asks to try again later.</summary>
    private FaultException Failed(int status, byte[] output, string complaints)
    {
        var text = Encoding.UTF8.GetString(output).Trim();
        var kind = FaultKind.Internal;
        var reason = text.Length > 0 ? text : complaints;
        try
        {
            if (text.Length > 0 && JsonNode.Parse(text) is JsonObject error && error["msg"] is JsonValue message)
            {
                var code = (uint?)error["code"] ?? 0;
                if (code == 11) kind = FaultKind.Unavailable;
                var details = (string?)error["details"] ?? "";
                reason = details.Length > 0 ? $"{message}: {details} (code {code})" : $"{message} (code {code})";
            }
        }
        catch (Exception plain) when (plain is System.Text.Json.JsonException or InvalidOperationException or FormatException)
        {
            // Not the error form: the text itself is the reason.
        }
        if (reason.Length == 0) reason = $"exit status {status} without a word";
        return new FaultException(kind, "cni.plugin-failed", $"{What} failed: {reason}");
    }
}
