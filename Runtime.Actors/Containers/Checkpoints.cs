using System.ComponentModel;
using System.Diagnostics;
using Runtime.Faults;

namespace Runtime.Actors.Containers;

/// <summary>Why a container cannot be checkpointed on this node: CRIU knows.</summary>
internal static class Checkpoints
{
    private static readonly TimeSpan CheckTimeout = TimeSpan.FromSeconds(30);

    /// <param name="criu">Path of the program; empty: on PATH.</param>
    /// <exception cref="FaultException">
    /// FailedPrecondition (<c>checkpoint.no-criu</c>, <c>checkpoint.criu-refuses</c>); else Unimplemented.
    /// </exception>
    public static async Task RefuseAsync(string id, string criu, CancellationToken cancellation)
    {
        var (code, said) = await CheckAsync(id, criu.Length > 0 ? criu : "criu", cancellation);
        throw code == 0
            ? new FaultException(FaultKind.Unimplemented, "checkpoint.unimplemented",
                $"Container {id}: CRIU works on this node, but this runtime does not write checkpoint archives yet.")
            : new FaultException(FaultKind.FailedPrecondition, "checkpoint.criu-refuses",
                $"Container {id}: CRIU does not work on this node: {said}");
    }

    private static async Task<(int Code, string Said)> CheckAsync(string id, string criu, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(CheckTimeout);
        using var process = Start(id, criu);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var errors = await process.StandardError.ReadToEndAsync(limit.Token);
            await output;
            await process.WaitForExitAsync(limit.Token);
            var said = errors.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            return (process.ExitCode, said.FirstOrDefault(line => line.Contains("Error", StringComparison.Ordinal)) ?? errors.Trim());
        }
        catch (OperationCanceledException)
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
            if (cancellation.IsCancellationRequested) throw;
            throw new FaultException(FaultKind.DeadlineExceeded, "checkpoint.timeout", $"{criu} check took more than {CheckTimeout}.");
        }
    }

    private static Process Start(string id, string criu)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(criu, ["check"]) { RedirectStandardOutput = true, RedirectStandardError = true })
                ?? throw new FaultException(FaultKind.FailedPrecondition, "checkpoint.no-criu", $"{criu} could not be run.");
        }
        catch (Win32Exception missing)
        {
            throw new FaultException(FaultKind.FailedPrecondition, "checkpoint.no-criu",
                $"Container {id}: a checkpoint needs CRIU, and {criu} cannot be run: {missing.Message}", missing);
        }
    }
}
