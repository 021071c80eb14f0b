using System.Globalization;
using System.Text;
using Runtime.Faults;
using Runtime.Linux.Processes;

namespace Runtime.Actors.Ports;

/// <summary>
/// Processes that a daemon before this one, or a call that was cancelled, has left behind. They are known by what they were
/// started with, never by a number that was written down: that may be another process' by now.
/// </summary>
internal static class StrayProcesses
{
    /// <summary>A killed process that waits for the disk goes when the disk answers.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    /// <summary>
    /// Returns when there is none that <paramref name="isStray"/> names. Those that do not end by themselves within
    /// <paramref name="grace"/> are killed, and those that they start meanwhile.
    /// </summary>
    /// <exception cref="FaultException">Unavailable <c>process.unkillable</c>.</exception>
    public static async Task EndAsync(
        Func<int, bool> isStray, TimeSpan grace, TimeProvider clock, CancellationToken cancellation)
    {
        var start = clock.GetTimestamp();
        while (true)
        {
            var strays = All().Where(isStray).ToArray();
            if (strays.Length == 0) return;
            var waited = clock.GetElapsedTime(start);
            if (waited >= grace)
                foreach (var pid in strays) ProcessControl.TrySignal(pid, Signals.SIGKILL);
            if (waited > grace + Patience)
                throw new FaultException(FaultKind.Unavailable, "process.unkillable",
                    $"Processes {string.Join(", ", strays)} do not end though they were killed.");
            await Task.Delay(Pause, clock, cancellation);
        }
    }

    /// <summary>Its arguments; none for one that has ended.</summary>
    public static string[] Arguments(int pid) => Words($"/proc/{pid}/cmdline");

    /// <summary>Its environment as it was started with, <c>NAME=value</c>.</summary>
    public static string[] Environment(int pid) => Words($"/proc/{pid}/environ");

    private static IEnumerable<int> All() => Directory.EnumerateDirectories("/proc")
        .Select(directory => int.TryParse(Path.GetFileName(directory), CultureInfo.InvariantCulture, out var pid) ? pid : 0)
        .Where(pid => pid > 0 && pid != System.Environment.ProcessId);

    private static string[] Words(string file)
    {
        try
        {
            return Encoding.UTF8.GetString(File.ReadAllBytes(file)).Split('\0', StringSplitOptions.RemoveEmptyEntries);
        }
        // It ended between the two looks.
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
