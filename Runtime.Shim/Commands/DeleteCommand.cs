using Runtime.Faults;
using Runtime.Linux.Cgroups;
using Runtime.Linux.Mounts;
using Runtime.Linux.Processes;
using Runtime.Shim.Bundles;
using Runtime.Shim.Oci;
using Runtime.Ttrpc.Bootstrap;
using Runtime.Ttrpc.Tasks;
using Runtime.Ttrpc.Wire;

namespace Runtime.Shim.Commands;

/// <summary>
/// <c>delete</c>: cleans up after a shim that died. 1. kills what is left in the container's cgroup and the pod's pid 1, 2. deletes the
/// OCI state, 3. unmounts the rootfs, 4. prints a DeleteResponse: the exit that the shim had seen, else 137 now.
/// </summary>
internal static class DeleteCommand
{
    private const int KilledCode = 137;

    public static int Run(ShimArguments arguments)
    {
        var bundle = arguments.Bundle;
        var pid = BundleFiles.ReadPid(Path.Combine(bundle, BundleFiles.InitPid));
        KillCgroup(bundle, pid);
        KillPodInit(bundle);
        var runtime = OciRuntime.TryLoad(bundle) ?? OciRuntime.For(new RuncOptionsMessage(), arguments.Namespace, bundle);
        if (Directory.Exists(runtime.Root) && runtime.RunAndWait("delete-log.json", ["delete", "--force", arguments.Id]) is
            { Kind: not FaultKind.NotFound } fault)
            Console.Error.WriteLine($"containerd-shim-actor-v1: {fault.Message}");
        Mounter.UnmountAll(Path.Combine(bundle, "rootfs"), lazy: true);
        var exit = BundleFiles.TryReadExit(bundle, "");
        using var output = Console.OpenStandardOutput();
        output.Write(WireWriter.ToArray(new DeleteResponse
        {
            Pid = (uint)(exit?.Pid ?? pid),
            ExitStatus = (uint)(exit?.Code ?? KilledCode),
            ExitedAt = exit?.At ?? DateTimeOffset.UtcNow,
        }));
        return 0;
    }

    /// <summary>The cgroup that the spec names; else the init's, if it still is the process that the OCI runtime made.</summary>
    private static void KillCgroup(string bundle, int pid)
    {
        var cgroups = CgroupHierarchy.Detect();
        var named = BundleSpec.TryRead(bundle)?.CgroupsPath ?? "";
        // systemd's form, SLICE:PREFIX:NAME, is no path: there the OCI runtime's own delete kills.
        var path = named.Contains(':') ? "" : named;
        if (path.Trim('/').Length > 0 && cgroups.Exists(path))
            cgroups.KillAll(path);
        else if (path.Length == 0 && pid > 0 && cgroups.PathOf(pid) is { } own && own.Contains(Path.GetFileName(bundle), StringComparison.Ordinal))
            cgroups.KillAll(own);
    }

    /// <summary>Its number may be another process' by now: it must be our program.</summary>
    private static void KillPodInit(string bundle)
    {
        var pid = BundleFiles.ReadPid(Path.Combine(bundle, BundleFiles.PodInitPid));
        if (pid > 0 && BundleFiles.TryRead($"/proc/{pid}/cmdline")?.StartsWith($"{ForkedInit.Name}\0", StringComparison.Ordinal) == true)
            ProcessControl.TrySignal(pid, Signals.SIGKILL);
    }
}
