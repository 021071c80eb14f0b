using System.Collections.Concurrent;
using Runtime.Faults;

namespace Runtime.Actors.Shims;

/// <summary>Finds the binary of a runtime type: <c>io.containerd.runsc.v1</c> is <c>containerd-shim-runsc-v1</c>.</summary>
/// <param name="directory">Looked into before PATH.</param>
public sealed class ShimBinaries(string directory)
{
    /// <summary>Our own: it stands for runc's shim too, since it does what that does and more.</summary>
    public const string Native = "containerd-shim-actor-v1";

    private readonly ConcurrentDictionary<string, string> _found = new();

    /// <summary>Whether a runtime type is our own shim's.</summary>
    public static bool IsNativeType(string runtimeType) =>
        runtimeType is "io.containerd.runc.v2" or "io.containerd.runc.v1" or "io.containerd.actor.v1";

    public static bool IsNative(string path) => Path.GetFileName(path) == Native;

    /// <summary>Whether its options are containerd.runc.v1.Options, also where a client gave none.</summary>
    public static bool TakesRuncOptions(string path) =>
        IsNative(path) || Path.GetFileName(path).StartsWith("containerd-shim-runc-", StringComparison.Ordinal);

    /// <param name="runtimeType">A type, or the absolute path of a binary.</param>
    /// <exception cref="FaultException">InvalidArgument for what is no type; NotFound where there is no such binary.</exception>
    public string Resolve(string runtimeType)
    {
        if (_found.TryGetValue(runtimeType, out var known) && File.Exists(known)) return known;
        return _found[runtimeType] = runtimeType.StartsWith('/') ? Existing(runtimeType, [runtimeType]) : Search(NameOf(runtimeType));
    }

    private static string NameOf(string runtimeType)
    {
        if (IsNativeType(runtimeType)) return Native;
        var parts = runtimeType.Split('.');
        return parts.Length >= 2 && parts.All(part => part.Length > 0 && !part.Contains('/'))
            ? $"containerd-shim-{parts[^2]}-{parts[^1]}"
            : throw new FaultException(FaultKind.InvalidArgument, "shim.bad-type",
                $"\"{runtimeType}\" is no runtime type: it must look like io.containerd.NAME.VERSION, or be a path.");
    }

    private string Search(string name) => Existing(name,
    [
        Path.Combine(directory, name),
        .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries).Select(place => Path.Combine(place, name)),
    ]);

    private static string Existing(string name, IReadOnlyList<string> places) => places.FirstOrDefault(File.Exists)
        ?? throw new FaultException(FaultKind.NotFound, "shim.no-binary", $"There is no shim {name}, neither beside the daemon nor on PATH.");
}
