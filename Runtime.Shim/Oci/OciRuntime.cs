using Microsoft.Win32.SafeHandles;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Linux.Processes;
using Runtime.Shim.Bundles;
using Runtime.Shim.Tasks;
using Runtime.Ttrpc.Bootstrap;

namespace Runtime.Shim.Oci;

/// <summary>The command line of runc and crun, for one container.</summary>
/// <param name="Binary">A name on PATH, or a path.</param>
/// <param name="Root">State directory of the runtime.</param>
internal sealed record OciRuntime(string Binary, string Root, bool SystemdCgroup, string CriuPath, string Bundle)
{
    private const string DefaultRoot = "/run/containerd/runc";
    private const int MaxLogBytes = 1024 * 1024;

    public static OciRuntime For(RuncOptionsMessage options, string space, string bundle) => new(
        options.BinaryName.Length > 0 ? options.BinaryName : "runc",
        Path.Combine(options.Root.Length > 0 ? options.Root : DefaultRoot, space), options.SystemdCgroup, options.CriuPath, bundle);

    /// <summary>Keeps what the <c>delete</c> command needs, which gets no options.</summary>
    public void Save() => BundleFiles.Write(Path.Combine(Bundle, BundleFiles.Runtime), $"{Binary}\n{Root}\n{(SystemdCgroup ? "systemd" : "")}\n");

    public static OciRuntime? TryLoad(string bundle)
    {
        var lines = BundleFiles.TryRead(Path.Combine(bundle, BundleFiles.Runtime))?.Split('\n');
        return lines is { Length: >= 3 } ? new(lines[0], lines[1], lines[2] == "systemd", "", bundle) : null;
    }

    /// <summary>Starts the runtime; <paramref name="ended"/> gets null for success, or why not.</summary>
    /// <param name="log">Name of the file in the bundle that it logs to.</param>
    public void Run(
        Reaper reaper, string log, IReadOnlyList<string> arguments, Action<RuntimeFault?> ended,
        SafeFileHandle? stdin = null, SafeFileHandle? stdout = null, SafeFileHandle? stderr = null)
    {
        var logPath = Path.Combine(Bundle, log);
        BundleFiles.Remove(logPath);
        var pid = Spawner.Spawn(new(Binary, Line(logPath, arguments))
        {
            WorkingDirectory = Bundle,
            Stdin = stdin,
            Stdout = stdout,
            Stderr = stderr,
        });
        reaper.Ask(pid, exit => ended(exit.Code == 0 ? null : Failure(logPath, arguments[0], exit)));
    }

    /// <summary>Runs it and waits: for the commands that are a process of their own.</summary>
    public RuntimeFault? RunAndWait(string log, IReadOnlyList<string> arguments)
    {
        var logPath = Path.Combine(Bundle, log);
        BundleFiles.Remove(logPath);
        var exit = Children.Reap(Spawner.Spawn(new(Binary, Line(logPath, arguments)) { WorkingDirectory = Bundle }));
        return exit.Code == 0 ? null : Failure(logPath, arguments[0], exit);
    }

    private List<string> Line(string logPath, IReadOnlyList<string> arguments)
    {
        var line = new List<string>(arguments.Count + 10) { Binary, "--root", Root, "--log", logPath, "--log-format", "json" };
        if (SystemdCgroup)
            line.Add("--systemd-cgroup");
        if (CriuPath.Length > 0)
            line.AddRange(["--criu", CriuPath]);
        line.AddRange(arguments);
        return line;
    }

    private RuntimeFault Failure(string logPath, string command, ChildExit exit)
    {
        var why = LastError(logPath) ?? (exit.Signal > 0 ? $"it was killed by signal {exit.Signal}" : $"it exited with code {exit.Code}");
        var isMissing = why.Contains("does not exist", StringComparison.Ordinal) && why.Contains("container", StringComparison.Ordinal)
            && command is not ("create" or "exec");
        return new(isMissing ? FaultKind.NotFound : FaultKind.Unknown, "oci.failed",
            $"OCI runtime {command} failed: {Path.GetFileName(Binary)}: {why}");
    }

    private static string? LastError(string logPath)
    {
        using var file = Descriptors.TryOpen(logPath, FileConstants.O_RDONLY);
        if (file is null)
            return null;
        try
        {
            return RuntimeLog.LastError(Descriptors.ReadToEnd(file, MaxLogBytes, logPath));
        }
        catch (FaultException)
        {
            return null;
        }
    }
}
