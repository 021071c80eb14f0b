using System.Globalization;
using Runtime.Faults;

namespace Runtime.Api.Services;

/// <summary>Who this daemon is: an id that survives restarts, its pid, and its pid namespace.</summary>
/// <param name="Id">A UUID, made once per root directory.</param>
/// <param name="Pid">Of this process, in its own pid namespace.</param>
/// <param name="PidNamespace">Inode number of the pid namespace; 0 where it cannot be read.</param>
public sealed record ServerIdentity(string Id, ulong Pid, ulong PidNamespace)
{
    /// <summary>Reads the id, or makes one: written beside and renamed, so that a crash leaves no half of one.</summary>
    /// <exception cref="FaultException">DataLoss when the file holds no UUID.</exception>
    public static ServerIdentity Load(ApiOptions options) =>
        new(IdOf(options.ServerIdFile), (ulong)Environment.ProcessId, PidNamespaceOf("/proc/self/ns/pid"));

    private static string IdOf(string path)
    {
        if (File.Exists(path))
        {
            var text = File.ReadAllText(path).Trim();
            return Guid.TryParse(text, out var known)
                ? known.ToString()
                : throw new FaultException(FaultKind.DataLoss, "server.bad-id", $"{path} holds no UUID: remove it to get a new one.");
        }
        var id = Guid.NewGuid().ToString();
        Directory.CreateDirectory(Path.GetDirectoryName(path)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var draft = path + ".new";
        File.WriteAllText(draft, id);
        File.Move(draft, path, overwrite: true);
        return id;
    }

    // The link reads pid:[4026531836].
    private static ulong PidNamespaceOf(string path)
    {
        var target = new FileInfo(path).LinkTarget ?? "";
        var open = target.IndexOf('[', StringComparison.Ordinal);
        return open > 0 && ulong.TryParse(target.AsSpan(open + 1).TrimEnd(']'), CultureInfo.InvariantCulture, out var inode) ? inode : 0;
    }
}
