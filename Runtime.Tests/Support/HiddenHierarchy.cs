using Runtime.Actors.Shims;

namespace Runtime.Tests.Support;

/// <summary>
/// crun 1.8 refuses hybrid cgroups whose v2 part has controllers. On such a machine its shim runs in a mount namespace that
/// lacks that part; mounts that the daemon makes later still reach it.
/// </summary>
public static class HiddenHierarchy
{
    private const string Unified = "/sys/fs/cgroup/unified";

    /// <summary>The directory with the shim to use for an OCI runtime: the built one, or one in <paramref name="scratch"/>.</summary>
    public static string ShimDirectory(string ociRuntime, string scratch)
    {
        if (ociRuntime != "crun" || !Directory.Exists(Unified)) return Path.GetDirectoryName(Artifacts.Shim)!;
        var program = Path.Combine(Directory.CreateDirectory(scratch).FullName, ShimBinaries.Native);
        File.WriteAllText(program,
            $"""
            #!/bin/sh
            exec unshare -m --propagation slave sh -c 'umount {Unified} && exec "$0" "$@"' {Artifacts.Shim} "$@"

            """);
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return scratch;
    }
}
