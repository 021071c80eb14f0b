using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using Runtime.Cri.V1;
using Xunit;

namespace Runtime.Tests.Support;

/// <summary>
/// The real daemon as a process of its own, with directories, a bridge and a subnet of its own; and clients of its socket.
/// Disposing it removes every pod, ends the daemon and fails when something is left on the machine.
/// </summary>
public sealed class DaemonFixture : IAsyncDisposable
{
    public const string Image = "docker.io/library/actord-test:latest";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);
    private static int s_instances;

    private readonly TempDirectory _directory = new();
    private readonly List<string> _log = [];
    private readonly int _instance = Interlocked.Increment(ref s_instances);
    private Process? _process;
    private GrpcChannel? _channel;

    private DaemonFixture()
    {
    }

    public string Root => _directory["root"];

    public string State => _directory["state"];

    public string Socket => Path.Combine(State, "actord.sock");

    public string Logs => _directory["logs"];

    public string CniDirectory => _directory["cni"];

    public string CniPlugins => _directory["plugins"];

    public string Bridge => $"actt{Environment.ProcessId % 10000}x{_instance}";

    public string CgroupParent => $"/actord-test-{Environment.ProcessId}-{_instance}";

    /// <summary>Further lines for the configuration; set before the start.</summary>
    public string Configuration { get; set; } = "";

    public int Pid => _process!.Id;

    /// <summary>The daemon died, of itself or by a signal.</summary>
    public bool HasEnded => _process!.WaitForExit(TimeSpan.FromSeconds(2));

    public RuntimeService.RuntimeServiceClient Runtime => new(_channel);

    public ImageService.ImageServiceClient Images => new(_channel);

    public GrpcChannel Channel => _channel!;

    /// <summary>What the daemon has logged so far.</summary>
    public string Log
    {
        get
        {
            lock (_log) return string.Join('\n', _log);
        }
    }

    /// <summary>A running daemon that has <see cref="Image"/>.</summary>
    public static async Task<DaemonFixture> StartAsync(Action<DaemonFixture>? configure = null, bool withImage = true)
    {
        var daemon = new DaemonFixture();
        daemon.WriteNetwork();
        configure?.Invoke(daemon);
        await daemon.StartDaemonAsync();
        if (withImage) await daemon.ImportImageAsync();
        return daemon;
    }

    /// <summary>A bridge network of this fixture's own, with its leases in its own directory.</summary>
    public void WriteNetwork()
    {
        Directory.CreateDirectory(CniDirectory);
        Directory.CreateDirectory(CniPlugins);
        var subnet = $"10.{200 + Environment.ProcessId % 50}.{_instance % 250}.0/24";
        File.WriteAllText(Path.Combine(CniDirectory, "10-test.conflist"), $$"""
            {
              "cniVersion": "1.0.0", "name": "test",
              "plugins": [
                { "type": "bridge", "bridge": "{{Bridge}}", "isGateway": true, "ipMasq": false,
                  "ipam": { "type": "host-local", "dataDir": "{{_directory["leases"]}}",
                            "ranges": [[{ "subnet": "{{subnet}}" }]], "routes": [{ "dst": "0.0.0.0/0" }] } },
                { "type": "portmap", "capabilities": { "portMappings": true } }
              ]
            }
            """);
    }

    public async Task StartDaemonAsync()
    {
        var file = _directory["config.toml"];
        await File.WriteAllTextAsync(file, $$"""
            version = 4
            root = "{{Root}}"
            state = "{{State}}"
            [debug]
            level = "debug"
            [plugins."io.containerd.server.v1.grpc"]
            address = "{{Socket}}"
            [plugins."io.containerd.cri.v1.runtime".cni]
            conf_dir = "{{CniDirectory}}"
            bin_dirs = ["{{CniPlugins}}", "/usr/lib/cni"]
            {{Configuration}}
            """);
        _process = Process.Start(new ProcessStartInfo(Artifacts.Daemon, ["--config", file])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        })!;
        _process.ErrorDataReceived += Keep;
        _process.OutputDataReceived += Keep;
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        _channel?.Dispose();
        _channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { ConnectCallback = ConnectAsync },
            DisposeHttpClient = true,
            MaxReceiveMessageSize = 16 << 20,
        });
        await Eventually.AsyncTrue(AnswersAsync, StartLimit, () => $"the daemon does not answer:\n{Log}");
    }

    /// <summary>SIGKILL, as a crash is.</summary>
    public async Task KillDaemonAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    public async Task RestartAfterKillAsync()
    {
        await KillDaemonAsync();
        await StartDaemonAsync();
    }

    public PodSandboxConfig Pod(string name, NamespaceMode pid = NamespaceMode.Container)
    {
        Directory.CreateDirectory(Path.Combine(Logs, name));
        return new PodSandboxConfig
        {
            Metadata = new PodSandboxMetadata { Name = name, Namespace = "default", Uid = $"uid-{name}" },
            Hostname = name,
            LogDirectory = Path.Combine(Logs, name),
            Linux = new LinuxPodSandboxConfig
            {
                CgroupParent = CgroupParent,
                SecurityContext = new LinuxSandboxSecurityContext { NamespaceOptions = new NamespaceOption { Pid = pid } },
            },
        };
    }

    public async Task<string> RunPodAsync(PodSandboxConfig pod) =>
        (await Runtime.RunPodSandboxAsync(new RunPodSandboxRequest { Config = pod })).PodSandboxId;

    public ContainerConfig Shell(string name, string script, NamespaceMode pid = NamespaceMode.Container) => new()
    {
        Metadata = new ContainerMetadata { Name = name },
        Image = new ImageSpec { Image = Image },
        Command = { "/bin/sh", "-c", script },
        LogPath = $"{name}.log",
        Linux = new LinuxContainerConfig
        {
            SecurityContext = new LinuxContainerSecurityContext { NamespaceOptions = new NamespaceOption { Pid = pid } },
        },
    };

    /// <summary>Creates and starts a container.</summary>
    public async Task<string> RunAsync(string podId, PodSandboxConfig pod, ContainerConfig container)
    {
        var created = await Runtime.CreateContainerAsync(
            new CreateContainerRequest { PodSandboxId = podId, Config = container, SandboxConfig = pod });
        await Runtime.StartContainerAsync(new StartContainerRequest { ContainerId = created.ContainerId });
        return created.ContainerId;
    }

    public async Task<ContainerStatus> StatusAsync(string containerId) =>
        (await Runtime.ContainerStatusAsync(new ContainerStatusRequest { ContainerId = containerId })).Status;

    public async Task<ContainerStatus> ExitedAsync(string containerId)
    {
        ContainerStatus? status = null;
        await Eventually.AsyncTrue(
            async () => (status = await StatusAsync(containerId)).State is ContainerState.ContainerExited,
            TimeSpan.FromSeconds(20),
            () => $"the container is {status?.State}:\n{Log}");
        return status!;
    }

    public async Task<ExecSyncResponse> ExecAsync(string containerId, params string[] command) =>
        await Runtime.ExecSyncAsync(new ExecSyncRequest { ContainerId = containerId, Cmd = { command }, Timeout = 20 });

    public async Task StopAndRemoveAsync(string podId)
    {
        await Runtime.StopPodSandboxAsync(new StopPodSandboxRequest { PodSandboxId = podId });
        await Runtime.RemovePodSandboxAsync(new RemovePodSandboxRequest { PodSandboxId = podId });
    }

    /// <summary>The daemon, its shims, and what else has its directories on the command line.</summary>
    public IEnumerable<(int Pid, string CommandLine)> Processes() => ProcessesWith(_directory.Path);

    /// <summary>What of this daemon's pods is on the machine, a line each.</summary>
    public IReadOnlyList<string> Leftovers()
    {
        var left = new List<string>();
        left.AddRange(File.ReadLines("/proc/self/mountinfo").Select(line => line.Split(' ')[4])
            .Where(mount => mount.StartsWith(_directory.Path + "/", StringComparison.Ordinal)).Select(mount => $"mount {mount}"));
        left.AddRange(ProcessesWith(_directory.Path).Where(process => process.Pid != (_process is { HasExited: false } ? Pid : 0))
            .Select(process => $"process {process.Pid} {process.CommandLine}"));
        left.AddRange(Directory.Exists("/sys/fs/cgroup")
            ? Directory.EnumerateDirectories("/sys/fs/cgroup")
                .Select(controller => controller + CgroupParent).Where(Directory.Exists)
                .SelectMany(parent => Directory.EnumerateDirectories(parent)).Select(leaf => $"cgroup {leaf}")
            : []);
        left.AddRange(FilesIn(_directory["leases"]).Where(lease => char.IsDigit(Path.GetFileName(lease)[0])).Select(lease => $"lease {lease}"));
        left.AddRange(FilesIn(Path.Combine(State, "netns")).Select(pin => $"netns {pin}"));
        left.AddRange(DirectoriesIn(Path.Combine(State, "io.containerd.runtime.v2.task", "k8s.io")).Select(bundle => $"bundle {bundle}"));
        left.AddRange(DirectoriesIn(Path.Combine(State, "sandboxes")).Select(sandbox => $"sandbox {sandbox}"));
        return left;
    }

    public async ValueTask DisposeAsync()
    {
        IReadOnlyList<string> left = [];
        try
        {
            if (_process is { HasExited: true }) await StartDaemonAsync();
            foreach (var pod in (await Runtime.ListPodSandboxAsync(new ListPodSandboxRequest())).Items)
                await StopAndRemoveAsync(pod.Id);
            await Eventually.True(() => (left = Leftovers()).Count == 0, TimeSpan.FromSeconds(10),
                () => $"left behind:\n{string.Join('\n', left)}\n{Log}");
        }
        finally
        {
            await EndAsync();
        }
    }

    // Whatever a failed test left goes, by force, so that the next one starts on a clean machine.
    private async Task EndAsync()
    {
        if (_process is { HasExited: false })
        {
            await Tool.RunAsync("kill", "-TERM", _process.Id.ToString(CultureInfo.InvariantCulture));
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(15));
            try
            {
                await _process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill();
            }
        }
        _channel?.Dispose();
        foreach (var (pid, _) in ProcessesWith(_directory.Path)) await Tool.TryRunAsync("kill", "-KILL", $"{pid}");
        foreach (var mount in File.ReadLines("/proc/self/mountinfo").Select(line => line.Split(' ')[4])
            .Where(mount => mount.StartsWith(_directory.Path + "/", StringComparison.Ordinal)).Reverse().ToArray())
            await Tool.TryRunAsync("umount", "-l", mount);
        await Tool.TryRunAsync("ip", "link", "delete", Bridge);
        foreach (var controller in Directory.EnumerateDirectories("/sys/fs/cgroup"))
            await Tool.TryRunAsync("find", controller + CgroupParent, "-depth", "-type", "d", "-delete");
        _directory.Dispose();
    }

    private static IEnumerable<(int Pid, string CommandLine)> ProcessesWith(string text)
    {
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), out var pid)) continue;
            string line;
            try
            {
                line = File.ReadAllText(Path.Combine(directory, "cmdline")).Replace('\0', ' ');
            }
            catch (IOException)
            {
                continue; // ended while we looked
            }
            if (line.Contains(text, StringComparison.Ordinal)) yield return (pid, line);
        }
    }

    private static IEnumerable<string> FilesIn(string directory) =>
        Directory.Exists(directory) ? Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories) : [];

    private static IEnumerable<string> DirectoriesIn(string directory) =>
        Directory.Exists(directory) ? Directory.EnumerateDirectories(directory) : [];

    private async Task<bool> AnswersAsync()
    {
        Assert.False(_process!.HasExited, $"the daemon ended:\n{Log}");
        try
        {
            await Runtime.VersionAsync(new VersionRequest(), deadline: DateTime.UtcNow.AddSeconds(2));
            return true;
        }
        catch (RpcException)
        {
            return false;
        }
    }

    /// <summary>What Debian's ctr prints.</summary>
    public Task<string> CtrAsync(params string[] arguments) => Tool.RunAsync("ctr", ["--address", Socket, .. arguments]);

    private async Task ImportImageAsync()
    {
        var image = await TestImages.BusyBoxAsync(_directory["image"]);
        var archive = await image.ToTarAsync(_directory["image.tar"]);
        await Tool.RunAsync(Artifacts.Cli, "--address", Socket, "images", "import", "--name", Image, archive);
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is null) return;
        lock (_log)
        {
            _log.Add(line.Data);
            if (_log.Count > 2000) _log.RemoveRange(0, 1000);
        }
    }
}
