using System.Diagnostics;
using Runtime.Faults;

namespace Runtime.Actors.Shims;

/// <summary>One run of a shim's binary: <c>start</c> or <c>delete</c>, in the bundle.</summary>
internal sealed class ShimCommand(ShimOptions options, string binary, string space, string id, string bundle)
{
    private const int OutputBytesMax = 64 * 1024; // an address, or a small message

    public static string TtrpcAddress(ShimOptions options) =>
        options.TtrpcAddress.Length > 0 ? options.TtrpcAddress : $"{options.GrpcAddress}.ttrpc";

    /// <summary>What it wrote to its standard output.</summary>
    /// <exception cref="FaultException">Unavailable (<c>shim.command-failed</c>) with its error output; DeadlineExceeded.</exception>
    public async Task<byte[]> RunAsync(string command, byte[] input, TimeSpan timeout, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(timeout);
        using var process = Process.Start(StartInfo(command))
            ?? throw new FaultException(FaultKind.Unavailable, "shim.command-failed", $"{binary} could not be run.");
        try
        {
            var errors = ReadAsync(process.StandardError.BaseStream, limit.Token);
            var output = ReadAsync(process.StandardOutput.BaseStream, limit.Token);
            await GiveAsync(process, input, limit.Token);
            await process.WaitForExitAsync(limit.Token);
            // Only standard output counts: a warning on the other must not spoil the answer.
            var answer = await output;
            if (process.ExitCode == 0) return answer;
            var said = System.Text.Encoding.UTF8.GetString(await errors).Trim();
            throw new FaultException(FaultKind.Unavailable, "shim.command-failed",
                $"{binary} {command} for {id} failed with exit code {process.ExitCode}: {(said.Length > 0 ? said : System.Text.Encoding.UTF8.GetString(answer).Trim())}");
        }
        catch (OperationCanceledException)
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
            if (cancellation.IsCancellationRequested) throw;
            throw new FaultException(FaultKind.DeadlineExceeded, "shim.timeout", $"{binary} {command} for {id} took more than {timeout}.");
        }
    }

    private ProcessStartInfo StartInfo(string command)
    {
        var start = new ProcessStartInfo(binary)
        {
            WorkingDirectory = bundle,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var argument in (string[])["-namespace", space, "-id", id, "-address", options.GrpcAddress,
            "-publish-binary", options.PublishBinary.Length > 0 ? options.PublishBinary : Environment.ProcessPath ?? "actord"])
            start.ArgumentList.Add(argument);
        if (command == "delete")
        {
            start.ArgumentList.Add("-bundle");
            start.ArgumentList.Add(bundle);
        }
        start.ArgumentList.Add(command);
        start.Environment["TTRPC_ADDRESS"] = TtrpcAddress(options);
        start.Environment["GRPC_ADDRESS"] = options.GrpcAddress;
        start.Environment["NAMESPACE"] = space;
        start.Environment["MAX_SHIM_VERSION"] = ShimBootstrap.VersionMax.ToString(System.Globalization.CultureInfo.InvariantCulture);
        start.Environment["ACTORD_SHIM_SOCKET_DIR"] = options.SocketDirectory;
        start.Environment["GOMAXPROCS"] = "2"; // for shims written in Go, as containerd has it
        return start;
    }

    private static async Task GiveAsync(Process process, byte[] input, CancellationToken cancellation)
    {
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(input, cancellation);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has closed its input unread, as older shims do.
        }
    }

    private static async Task<byte[]> ReadAsync(Stream stream, CancellationToken cancellation)
    {
        var read = new MemoryStream();
        var buffer = new byte[4096];
        while (await stream.ReadAsync(buffer, cancellation) is > 0 and var count)
            if (read.Length < OutputBytesMax) read.Write(buffer, 0, count);
        return read.ToArray();
    }
}
