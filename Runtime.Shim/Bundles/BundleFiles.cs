using System.Globalization;
using System.Text;
using Runtime.Linux.Files;

namespace Runtime.Shim.Bundles;

/// <summary>Small files in a bundle. Written whole (beside, then renamed); the state directory is a tmpfs, so without fsync.</summary>
internal static class BundleFiles
{
    public const string InitPid = "init.pid";
    public const string OomMark = "oom";
    public const string Runtime = "actor-runtime";
    public const string PodInitPid = "pod-init.pid";
    private const int MaxBytes = 64 * 1024;

    public static void Write(string path, string content) => Write(path, Encoding.UTF8.GetBytes(content));

    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var temporary = path + ".new";
        using (var file = Descriptors.Open(
            temporary, FileConstants.O_WRONLY | FileConstants.O_CREAT | FileConstants.O_TRUNC | FileConstants.O_NOFOLLOW, 0b110_000_000))
            Descriptors.Write(file, content, temporary);
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Null where there is none.</summary>
    public static string? TryRead(string path)
    {
        using var file = Descriptors.TryOpen(path, FileConstants.O_RDONLY);
        return file is null ? null : Encoding.UTF8.GetString(Descriptors.ReadToEnd(file, MaxBytes, path));
    }

    /// <summary>The number in a pid file; 0 where there is none.</summary>
    public static int ReadPid(string path) =>
        int.TryParse(TryRead(path)?.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : 0;

    /// <summary>Removes it, where it is.</summary>
    public static void Remove(string path)
    {
        if (File.Exists(path))
            File.Delete(path);
    }

    /// <summary>
    /// Keeps an exit until its process is deleted, for a daemon that finds this shim dead: <c>exits/init</c> or <c>exits/x-EXEC</c>
    /// with <c>PID CODE UNIX-NANOSECONDS</c>.
    /// </summary>
    public static void WriteExit(string bundle, string execId, int pid, int code, DateTimeOffset at)
    {
        Directory.CreateDirectory(Path.Combine(bundle, "exits"));
        var nanoseconds = (at.UtcTicks - DateTime.UnixEpoch.Ticks) * 100;
        Write(ExitPath(bundle, execId), string.Create(CultureInfo.InvariantCulture, $"{pid} {code} {nanoseconds}\n"));
    }

    public static void RemoveExit(string bundle, string execId) => Remove(ExitPath(bundle, execId));

    /// <summary>Null where the process was not seen to exit.</summary>
    public static (int Pid, int Code, DateTimeOffset At)? TryReadExit(string bundle, string execId)
    {
        var parts = TryRead(ExitPath(bundle, execId))?.Trim().Split(' ');
        return parts is { Length: 3 }
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var code)
            && long.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var nanoseconds)
            ? (pid, code, DateTimeOffset.UnixEpoch.AddTicks(nanoseconds / 100))
            : null;
    }

    private static string ExitPath(string bundle, string execId) =>
        Path.Combine(bundle, "exits", execId.Length == 0 ? "init" : $"x-{execId}");
}
