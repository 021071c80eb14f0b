using System.Collections.Immutable;
using System.Diagnostics;
using Akka.Actor;
using Akka.Event;
using Runtime.Actors.Containers;
using Runtime.Actors.Entities;
using Runtime.Actors.Images;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Ports;
using Runtime.Actors.Sandboxes;
using Runtime.Actors.Shims;
using Runtime.Actors.Snapshots;
using Runtime.Actors.Tasks;
using Runtime.Faults;
using Runtime.Linux;
using Runtime.Linux.Mounts;

namespace Runtime.Tests.Support;

/// <summary>
/// Containers on the real journal, shim and OCI runtime, in one ready pod of the host's network, on a root file system of
/// busybox. Ends with everything that it made gone.
/// </summary>
public sealed class ContainerWorld : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly NamespaceName Space = NamespaceName.Kubernetes;
    private readonly TestJournal _journal = new();
    private readonly TempDirectory _directory = new();
    private readonly string _cgroup = $"/actord-test-{Guid.NewGuid():N}";
    private readonly ReadModel<SandboxView> _sandboxes = new();
    private readonly RuntimeHandler _handler;
    private readonly RuntimeFeatures _features;
    private readonly bool _sharedPids;
    private readonly Func<ContainerOptions, ContainerOptions> _configure;
    private int _containers;
    private ActorSystem? _system;
    private IActorRef _namespaces = ActorRefs.Nobody;

    private ContainerWorld(string ociRuntime, bool sharedPids, Func<ContainerOptions, ContainerOptions>? configure)
    {
        _configure = configure ?? (options => options);
        _sharedPids = sharedPids;
        Layout = new DirectoryLayout(_directory["root"], _directory["state"]);
        _handler = new RuntimeHandler { Name = "runc", Options = new RuncOptions { BinaryName = ociRuntime } };
        _features = new RuntimeFeatures(Handlers, KernelFeatures.Read(), Patience);
    }

    public DirectoryLayout Layout { get; }

    private RuntimeHandlers Handlers => new("runc", ImmutableSortedDictionary<string, RuntimeHandler>.Empty.Add("runc", _handler));

    public string SandboxId { get; } = Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32));

    public string LogDirectory => _directory["logs"];

    public ReadModel<ContainerView> Views { get; private set; } = new();

    public TaskOptions TaskOptions { get; set; } = new();

    /// <param name="sharedPids">The pod has one pid namespace for all.</param>
    /// <param name="privileged">The pod may have privileged containers.</param>
    public static Task<ContainerWorld> StartAsync(string ociRuntime = "runc", bool sharedPids = false, bool privileged = false) =>
        StartAsync(null, ociRuntime, sharedPids, privileged);

    /// <param name="configure">What differs from a node's defaults.</param>
    public static async Task<ContainerWorld> StartAsync(
        Func<ContainerOptions, ContainerOptions>? configure, string ociRuntime = "runc", bool sharedPids = false, bool privileged = false)
    {
        var world = new ContainerWorld(ociRuntime, sharedPids, configure);
        await world._features.ProbeAsync(CancellationToken.None);
        await world.MakePodAsync(privileged);
        world.StartDaemon();
        return world;
    }

    /// <summary>A command of busybox's shell, in a container with an own pid namespace.</summary>
    public ContainerConfig Shell(string script) => new()
    {
        Name = $"c{++_containers}",
        Image = "busybox",
        Command = ["/bin/sh", "-c", script],
        LogPath = $"c{_containers}/0.log",
        Security = new SecurityOptions { Pid = _sharedPids ? NamespaceMode.Pod : NamespaceMode.Container },
    };

    public Task<T> AskAsync<T>(IContainerCommand command) => AskForAsync<T>(command);

    public async Task<RuntimeFault> RefusedAsync(IContainerCommand command)
    {
        var reply = await _namespaces.Ask(command, Patience);
        return reply is Rejected rejected ? rejected.Fault : throw new InvalidOperationException($"{command} was answered with {reply}.");
    }

    public async Task<string> CreateAsync(ContainerConfig config)
    {
        var id = Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32));
        return (await AskForAsync<ContainerCreated>(new CreateContainer(Space, id, SandboxId, config))).ContainerId;
    }

    public async Task<string> RunAsync(ContainerConfig config)
    {
        var id = await CreateAsync(config);
        await StartAsync(id, CancellationToken.None);
        return id;
    }

    public Task<ContainerStarted> StartAsync(string id, CancellationToken cancellation) =>
        AskForAsync<ContainerStarted>(Start(id)).WaitAsync(cancellation);

    public StartContainer Start(string id) => new(Space, id);

    public StopContainer Stop(string id, double graceSeconds) => new(Space, id, TimeSpan.FromSeconds(graceSeconds));

    public RemoveContainer Remove(string id) => new(Space, id);

    public UpdateContainer Update(string id, ContainerResources resources) => new(Space, id, Guid.NewGuid().ToString("N"), resources);

    public CheckpointContainer Checkpoint(string id, string location) => new(Space, id, Guid.NewGuid().ToString("N"), location, "{}"u8.ToArray());

    public OpenExec OpenExec(string id, bool stdin, bool terminal, params ImmutableArray<string> command) =>
        new(Space, id, Guid.NewGuid().ToString("N"), command, stdin, Stdout: true, Stderr: !terminal, terminal);

    public OpenAttach OpenAttach(string id, bool stdin) =>
        new(Space, id, Guid.NewGuid().ToString("N"), stdin, Stdout: true, Stderr: true, Terminal: false);

    public async Task<IProcessSession> OpenAsync(IContainerCommand open) => (await AskForAsync<SessionOpened>(open)).Session;

    public ExecSync Exec(string id, double timeoutSeconds, params ImmutableArray<string> command) =>
        new(Space, id, Guid.NewGuid().ToString("N"), command, TimeSpan.FromSeconds(timeoutSeconds));

    public ReopenLog ReopenLog(string id) => new(Space, id);

    public ContainerView View(string id) => Views.Find(Space, id) ?? throw new InvalidOperationException($"No view of {id}.");

    public bool Exists(string id) => Views.Find(Space, id) is not null;

    public string Bundle(string id) => Layout.Bundle(Space.Value, id);

    public async Task<ContainerView> ExitAsync(string id)
    {
        await UntilAsync(() => View(id).Phase == ContainerPhase.Exited, $"{id} has exited");
        return View(id);
    }

    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        var started = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(started) > Patience) throw new TimeoutException($"Waited in vain until {what}.");
            await Task.Delay(20);
        }
    }

    /// <summary>The daemon ends: its processes know nothing of it.</summary>
    public async Task StopDaemonAsync()
    {
        if (_system is null) return;
        await _journal.StopAsync(_system);
        _system = null;
    }

    public void StartDaemon()
    {
        Views = new ReadModel<ContainerView>();
        _system = _journal.Start(ContainerJournal.Types);
        var snapshots = _system.ActorOf(Props.Create(() => new BindSnapshots(_directory["rootfs"])));
        var slice = ContainerSlice.Create(
            _configure(new ContainerOptions
            {
                Directories = Layout,
                Handlers = Handlers,
                Features = _features,
                Host = HostProbe.Read(),
                Tasks = TaskOptions,
            }),
            new ContainerPorts(NewShims(), snapshots, new OneImage()), Views, _sandboxes, _journal.StoreOf(_system), TimeProvider.System);
        _namespaces = _system.ActorOf(NamespaceManager.Props([slice], [Space]));
    }

    public async ValueTask DisposeAsync()
    {
        if (_system is null) StartDaemon();
        foreach (var id in Views.In(Space).Keys) await _namespaces.Ask(Remove(id), Patience);
        await EndShimsAsync();
        await StopDaemonAsync();
        await _journal.DisposeAsync();
        Mounter.UnmountTree(_directory.Path, lazy: true);
        foreach (var hierarchy in Directory.GetDirectories("/sys/fs/cgroup"))
            if (Directory.Exists(hierarchy + _cgroup)) Directory.Delete(hierarchy + _cgroup);
        _directory.Dispose();
    }

    /// <summary>Pids of the shims of this world.</summary>
    public int[] ShimPids() =>
    [
        .. Directory.GetDirectories("/proc").Select(Path.GetFileName).OfType<string>().Where(name => int.TryParse(name, out _))
            .Where(pid => CommandLine(pid) is { } line && line.Contains("serve", StringComparison.Ordinal) && line.Contains(_directory.Path, StringComparison.Ordinal))
            .Select(int.Parse),
    ];

    /// <summary>How many descriptors the pod's shim has open.</summary>
    public int ShimDescriptors() => Directory.GetFiles($"/proc/{ShimPids().Single()}/fd").Length;

    public static string? CommandLine(string pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline");
        }
        catch (IOException)
        {
            return null; // gone meanwhile
        }
    }

    private async Task<T> AskForAsync<T>(IContainerCommand command)
    {
        var reply = await _namespaces.Ask(command, Patience);
        return reply is T expected ? expected : throw new InvalidOperationException($"{command} was answered with {reply}.");
    }

    private ShimManager NewShims() => new(
        new ShimOptions
        {
            Directories = Layout,
            GrpcAddress = _directory["actord.sock"],
            SocketDirectory = _directory["s"],
            BinaryDirectory = HiddenHierarchy.ShimDirectory(_handler.Options.BinaryName, _directory["bin"]),
        },
        TimeProvider.System, NoLogger.Instance);

    /// <summary>The pod's shim, as its sandbox would start it.</summary>
    private async Task<uint> StartPodAsync()
    {
        var bundle = Directory.CreateDirectory(Bundle(SandboxId)).FullName;
        await File.WriteAllTextAsync(Path.Combine(bundle, "config.json"), "{\"ociVersion\":\"1.0.2\"}");
        var shim = await NewShims().StartAsync(new ShimStart(Space, SandboxId, SandboxId, _handler.RuntimeType, _handler.Options), CancellationToken.None);
        await shim.CreateSandboxAsync(new SandboxCreate(SandboxId, bundle, "", _sharedPids, "", "", ""), CancellationToken.None);
        return await shim.StartSandboxAsync(SandboxId, CancellationToken.None);
    }

    private async Task EndShimsAsync()
    {
        if (ShimPids().Length == 0) return;
        var shim = await NewShims().ConnectAsync(Space, SandboxId, CancellationToken.None);
        await shim.StopSandboxAsync(SandboxId, TimeSpan.FromSeconds(5), CancellationToken.None);
        foreach (var pid in ShimPids())
        {
            using var process = Process.GetProcessById(pid);
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    private async Task MakePodAsync(bool privileged)
    {
        var rootfs = _directory["rootfs"];
        foreach (var name in new[] { "bin", "etc", "proc", "sys", "dev", "tmp", "data" }) Directory.CreateDirectory(Path.Combine(rootfs, name));
        File.Copy("/bin/busybox", Path.Combine(rootfs, "bin", "busybox"));
        await Tool.RunAsync("/bin/busybox", "--install", Path.Combine(rootfs, "bin"));
        await File.WriteAllTextAsync(Path.Combine(rootfs, "etc", "passwd"), "root:x:0:0:root:/:/bin/sh\nalice:x:1000:1001:Alice:/:/bin/sh\n");
        await File.WriteAllTextAsync(Path.Combine(rootfs, "etc", "group"), "root:x:0:\nalice:x:1001:\naudio:x:29:alice\n");
        await File.WriteAllTextAsync(Path.Combine(rootfs, "data", "seed"), "from the image");
        var files = Directory.CreateDirectory(Layout.Sandbox(SandboxId)).FullName;
        foreach (var name in new[] { "hostname", "hosts", "resolv.conf" }) await File.WriteAllTextAsync(Path.Combine(files, name), "test\n");
        _sandboxes.Set(Space, SandboxId, new SandboxView
        {
            Id = SandboxId,
            Config = new SandboxConfig
            {
                Name = "pod",
                Uid = "uid",
                PodNamespace = "default",
                CgroupParent = _cgroup,
                LogDirectory = LogDirectory,
                Security = new SecurityOptions
                {
                    Pid = _sharedPids ? NamespaceMode.Pod : NamespaceMode.Container,
                    Network = NamespaceMode.Node,
                    Ipc = NamespaceMode.Node,
                    Privileged = privileged,
                },
            },
            Pid = await StartPodAsync(),
            Phase = SandboxPhase.Ready,
            CreatedAt = DateTimeOffset.UnixEpoch,
            RuntimeHandler = "runc",
        });
    }

    /// <summary>Every root file system is the same directory.</summary>
    private sealed class BindSnapshots(string rootfs) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            switch (message)
            {
                case PrepareSnapshot or GetSnapshotMounts:
                    Sender.Tell(new SnapshotMounts(((ISnapshotCommand)message).EntityId, [new MountSpec("bind", rootfs, "", ["rbind", "rw"])]));
                    break;
                case RemoveSnapshot remove:
                    Sender.Tell(new SnapshotRemoved(remove.EntityId));
                    break;
                default:
                    Unhandled(message);
                    break;
            }
        }
    }

    private sealed class OneImage : IImageCatalog
    {
        private static readonly ImageSummary Busybox = new()
        {
            Id = $"sha256:{new string('b', 64)}",
            RepoTags = ["docker.io/library/busybox:1"],
            RepoDigests = [],
            Size = 1,
            ChainId = $"sha256:{Guid.NewGuid():N}",
            Snapshotter = "overlayfs",
            Pinned = false,
            Defaults = new ImageDefaults { Volumes = ["/data"], Environment = ["FROM=image"] },
        };

        public ImmutableArray<ImageSummary> List(NamespaceName space) => [Busybox];

        public ImageSummary? Find(NamespaceName space, string reference) => reference == "busybox" ? Busybox : null;

        public byte[]? ReadConfig(string imageId) => null;

        public Task RemoveAsync(NamespaceName space, string reference, CancellationToken cancellation) => Task.CompletedTask;

        public Task<ImageFileSystem> UsageAsync(CancellationToken cancellation) =>
            Task.FromResult(new ImageFileSystem("/", 0, 0, DateTimeOffset.UnixEpoch));
    }
}
