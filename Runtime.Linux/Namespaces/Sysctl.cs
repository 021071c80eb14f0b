using System.Text;
using Runtime.Faults;
using Runtime.Linux.Files;

namespace Runtime.Linux.Namespaces;

/// <summary>Kernel parameters under /proc/sys. Those of <c>net</c> and of System V and POSIX ipc belong to namespaces.</summary>
public static class Sysctl
{
    /// <summary>Which namespace a parameter belongs to; null for one of the whole machine, that no pod may set.</summary>
    public static NamespaceKind? NamespaceOf(string name)
    {
        var path = PathOf(name);
        if (path.StartsWith("net/", StringComparison.Ordinal))
            return NamespaceKind.Network;
        return path.StartsWith("kernel/shm", StringComparison.Ordinal) || path.StartsWith("kernel/msg", StringComparison.Ordinal)
            || path == "kernel/sem" || path.StartsWith("fs/mqueue/", StringComparison.Ordinal)
            ? NamespaceKind.Ipc
            : null;
    }

    /// <summary>Writes a parameter in the namespaces that the calling thread is in.</summary>
    /// <param name="name">With dots, or with slashes where a part has a dot: <c>net/ipv4/conf/eth0.1/forwarding</c>.</param>
    public static void Write(string name, string value)
    {
        var path = $"/proc/sys/{PathOf(name)}";
        using var file = Descriptors.TryOpen(path, FileConstants.O_WRONLY)
            ?? throw new FaultException(FaultKind.NotFound, "sysctl.unknown", $"This kernel has no parameter {RawName.Shown(name)}.");
        Descriptors.Write(file, Encoding.UTF8.GetBytes(value), path);
    }

    /// <summary>Reads a parameter in the namespaces that the calling thread is in.</summary>
    public static string Read(string name)
    {
        var path = $"/proc/sys/{PathOf(name)}";
        using var file = Descriptors.TryOpen(path, FileConstants.O_RDONLY)
            ?? throw new FaultException(FaultKind.NotFound, "sysctl.unknown", $"This kernel has no parameter {RawName.Shown(name)}.");
        return Encoding.UTF8.GetString(Descriptors.ReadToEnd(file, 64 * 1024, path)).TrimEnd('\n');
    }

    /// <summary>Writes parameters in pinned namespaces.</summary>
    /// <param name="networkNamespace">Null where the pod has the host's: then a <c>net</c> parameter is refused.</param>
    /// <param name="ipcNamespace">Null where the pod has the host's: then an ipc parameter is refused.</param>
    /// <exception cref="FaultException">InvalidArgument <c>sysctl.not-namespaced</c>, before anything is written.</exception>
    public static void Write(IReadOnlyDictionary<string, string> values, string? networkNamespace, string? ipcNamespace)
    {
        var groups = values.GroupBy(pair => NamespaceOf(pair.Key)).ToList();
        foreach (var group in groups)
        {
            var path = group.Key switch { NamespaceKind.Network => networkNamespace, NamespaceKind.Ipc => ipcNamespace, _ => null };
            if (path is null)
                throw new FaultException(
                    FaultKind.InvalidArgument, "sysctl.not-namespaced",
                    $"The parameter {RawName.Shown(group.First().Key)} would change the host: the pod has no namespace of its own for it.");
        }
        foreach (var group in groups)
        {
            NamespacePin.Run(group.Key!.Value, (group.Key == NamespaceKind.Network ? networkNamespace : ipcNamespace)!, () =>
            {
                foreach (var (name, value) in group)
                    Write(name, value);
            });
        }
    }

    /// <summary>As sysctl(8) reads names: what comes first, a dot or a slash, is the separator; the other one is swapped.</summary>
    private static string PathOf(string name)
    {
        var first = name.AsSpan().IndexOfAny('.', '/');
        var path = first < 0 || name[first] == '/'
            ? name
            : string.Create(name.Length, name, static (to, from) =>
            {
                for (var i = 0; i < to.Length; i++)
                    to[i] = from[i] switch { '.' => '/', '/' => '.', var other => other };
            });
        if (first < 0 || path.Contains('\0') || path.Split('/').Any(part => part is "" or "." or ".."))
            throw new FaultException(FaultKind.InvalidArgument, "sysctl.bad-name", $"'{RawName.Shown(name)}' is no name of a kernel parameter.");
        return path;
    }
}
