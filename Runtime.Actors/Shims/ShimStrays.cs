using System.Globalization;
using Runtime.Actors.Ports;
using Runtime.Faults;

namespace Runtime.Actors.Shims;

/// <summary>
/// Ends what a bundle's shim has running itself: a <c>start</c> that nobody waits for any more, a shim that was spawned before
/// its address was written (containerd loses these for good), one that does not answer.
/// </summary>
internal static class ShimStrays
{
    private const string Program = "containerd-shim-";

    /// <exception cref="FaultException">Unavailable <c>process.unkillable</c>.</exception>
    public static Task KillAsync(string bundle, string id, TimeProvider clock, CancellationToken cancellation)
    {
        // Our shim's start keeps its number; where there is none, everybody is looked at.
        var kept = File.Exists(Path.Combine(bundle, "shim.pid")) ? File.ReadAllText(Path.Combine(bundle, "shim.pid")) : "";
        return int.TryParse(kept, CultureInfo.InvariantCulture, out var pid)
            ? StrayProcesses.EndAsync(other => other == pid && IsOf(other, bundle, id), TimeSpan.Zero, clock, cancellation)
            : StrayProcesses.EndAsync(other => IsOf(other, bundle, id), TimeSpan.Zero, clock, cancellation);
    }

    private static bool IsOf(int pid, string bundle, string id)
    {
        var arguments = StrayProcesses.Arguments(pid);
        if (arguments.Length == 0 || !Path.GetFileName(arguments[0]).StartsWith(Program, StringComparison.Ordinal)) return false;
        var at = Array.IndexOf(arguments, "-id");
        if (at < 0 || at + 1 >= arguments.Length || arguments[at + 1] != id) return false;
        // Another daemon's shim can have the same id, but not the same bundle.
        return arguments.Contains(bundle) || DirectoryOf(pid) is { } directory
            && (directory == bundle || directory == $"{bundle} (deleted)");
    }

    private static string? DirectoryOf(int pid)
    {
        try
        {
            return new FileInfo($"/proc/{pid}/cwd").LinkTarget;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
