using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Runtime.Faults;
using Runtime.Linux;
using Runtime.Linux.Cgroups;
using Runtime.Linux.Files;
using Runtime.Linux.Io;
using Runtime.Linux.Processes;
using Runtime.Shim.Bundles;

namespace Runtime.Shim.Commands;

/// <summary>
/// <c>start</c>: prints the address of the pod's shim. 1. reads what the daemon says on standard input, 2. finds the pod, hence the
/// socket, 3. joins the shim that listens there, or binds the socket and leaves a server behind, 4. keeps the address in the bundle.
/// </summary>
internal static class StartCommand
{
    private const string DefaultSocketDirectory = "/run/containerd/s";
    private const int MaxAttempts = 3;

    public static int Run(ShimArguments arguments)
    {
        RawIo.KeepInheritedFromChildren();
        var input = StartInput.Read(arguments.Id);
        var group = BundleSpec.TryRead(arguments.Bundle) is { Group.Length: > 0 } spec ? spec.Group : arguments.Id;
        var directory = input.SocketDirectory ?? Environment.GetEnvironmentVariable("ACTORD_SHIM_SOCKET_DIR");
        if (string.IsNullOrEmpty(directory))
            directory = DefaultSocketDirectory;
        DurableFiles.MakePrivateDirectory(directory);
        var socket = SocketPath(directory, arguments, group);
        Start(arguments with { Socket = socket }, input, directory);
        var address = $"unix://{socket}";
        BundleFiles.Write(Path.Combine(arguments.Bundle, "address"), address);
        BundleFiles.Write(Path.Combine(arguments.Bundle, "bootstrap.json"), Json(3, address));
        using var output = Console.OpenStandardOutput();
        output.Write(Encoding.UTF8.GetBytes(Answer(address, input)));
        return 0;
    }

    /// <summary>As containerd names it: a hash of daemon, namespace and pod. Shorter where the directory leaves no room.</summary>
    private static string SocketPath(string directory, ShimArguments arguments, string group)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(
            Encoding.UTF8.GetBytes($"{arguments.Address}/{arguments.Namespace}/{group}")));
        var room = UnixSocket.MaxPath - Encoding.UTF8.GetByteCount(directory) - 1;
        return room >= 32
            ? Path.Combine(directory, hash[..Math.Min(room, hash.Length)])
            : throw new FaultException(
                FaultKind.InvalidArgument, "shim.long-path", $"The socket directory {directory} has too long a path.");
    }

    private static void Start(ShimArguments arguments, StartInput input, string directory)
    {
        // Two starts of one pod at a time: the second must not take the first one's socket for a dead one.
        using var turn = FileLock.Acquire(Path.Combine(directory, ".lock"));
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            using (var running = UnixSocket.TryConnect(arguments.Socket, nonBlocking: false))
            {
                if (running is not null)
                    return;
            }
            BundleFiles.Remove(arguments.Socket);
            using var listener = UnixSocket.TryListen(arguments.Socket);
            if (listener is null)
                continue;
            var pid = Spawn(arguments, listener);
            BundleFiles.Write(Path.Combine(arguments.Bundle, "shim.pid"), pid.ToString(CultureInfo.InvariantCulture));
            Adjust(pid, input.Options.ShimCgroup);
            return;
        }
        throw new FaultException(FaultKind.Unavailable, "shim.socket-taken", $"The socket {arguments.Socket} cannot be bound.");
    }

    private static int Spawn(ShimArguments arguments, SafeFileHandle listener)
    {
        List<string> line =
        [
            "containerd-shim-actor-v1", "-namespace", arguments.Namespace, "-id", arguments.Id, "-address", arguments.Address,
            "-publish-binary", arguments.PublishBinary, "-bundle", arguments.Bundle, "-socket", arguments.Socket,
        ];
        if (arguments.Debug)
            line.Add("-debug");
        line.Add("serve");
        return Spawner.Spawn(new("/proc/self/exe", line)
        {
            WorkingDirectory = arguments.Bundle,
            Extras = [listener],
            NewSession = true,
            BlockedSignals = ShimServer.BlockedSignals,
        });
    }

    /// <summary>As containerd: one above the daemon's score, so that of the two the shim goes first; and the wished cgroup.</summary>
    private static void Adjust(int pid, string cgroup)
    {
        OomScore.Set(pid, Math.Min(1000, OomScore.Get() + 1));
        if (cgroup.Trim('/').Length == 0)
            return;
        var cgroups = CgroupHierarchy.Detect();
        cgroups.Create(cgroup);
        cgroups.AddProcess(cgroup, pid);
    }

    /// <summary>
    /// containerd up to 1.6 takes a bare address only; later ones say which version they know at most, and those that send
    /// BootstrapParams know 3.
    /// </summary>
    private static string Answer(string address, StartInput input)
    {
        var max = Environment.GetEnvironmentVariable("MAX_SHIM_VERSION");
        if (!input.IsBootstrap && string.IsNullOrEmpty(max))
            return address;
        return Json(input.IsBootstrap || max is not ("1" or "2") ? 3 : 2, address);
    }

    private static string Json(int version, string address) =>
        $$"""{"version":{{version}},"address":"{{address}}","protocol":"ttrpc"}""";
}
