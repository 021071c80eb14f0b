using Runtime.Actors.Shims;

namespace Runtime.Actors.Tasks;

/// <summary>
/// What our shim keeps in the bundle until a process is deleted: <c>exits/init</c> and <c>exits/x-EXEC</c> with
/// <c>PID CODE UNIX-NANOSECONDS</c>.
/// </summary>
internal static class KeptExit
{
    /// <summary>Null where the process was not seen to exit.</summary>
    public static ProcessExit? TryRead(string bundle, string execId)
    {
        var path = Path.Combine(bundle, "exits", execId.Length == 0 ? "init" : $"x-{execId}");
        if (!File.Exists(path)) return null;
        var parts = File.ReadAllText(path).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return parts.Length == 3 && uint.TryParse(parts[0], out var pid) && uint.TryParse(parts[1], out var code) && long.TryParse(parts[2], out var nanoseconds)
            ? new ProcessExit(pid, code, DateTimeOffset.UnixEpoch.AddTicks(nanoseconds / TimeSpan.NanosecondsPerTick))
            : null;
    }
}
