using System.Collections.Immutable;
using Akka.Actor;
using Runtime.Actors.Containers;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Ports;
using Runtime.Actors.Sandboxes;
using Runtime.Actors.Shims;
using Runtime.Linux.Cgroups;
using Runtime.Linux.Mounts;
using Runtime.Tests.Integration.Network;
using Runtime.Tests.Support;
using Runtime.Tests.Unit.Sandboxes;

namespace Runtime.Tests.Integration.Sandboxes;

/// <summary>Sandboxes on this machine: real namespaces, cgroups, plugins and shim, in directories of the test's own.</summary>
internal sealed class SandboxMachine : IAsyncDisposable
{
    public static readonly NamespaceName Space = NamespaceName.Kubernetes;

    private readonly TestJournal _journal = new();
    private readonly CgroupHierarchy _cgroups = CgroupHierarchy.Detect();
    private ActorSystem? _system;
    private IActorRef _namespaces = null!;

    public SandboxMachine()
    {
        // What a test leaves would be found by its name.
        CgroupParent = $"/actord-test-{Guid.NewGuid():N}";
        Options = new SandboxOptions
        {
            Directories = new DirectoryLayout(Cni["root"], Cni["state"]),
            Handlers = new RuntimeHandlers("runc", ImmutableSortedDictionary<string, RuntimeHandler>.Empty
                .Add("runc", new RuntimeHandler { Name = "runc" })),
            Hostname = "node",
            BootId = "boot",
        };
        Resources = new SandboxResources(Options, _cgroups, TimeProvider.System);
    }

    public CniFixture Cni { get; } = new();

    public SandboxOptions Options { get; set; }

    public SandboxResources Resources { get; }

    public ReadModel<SandboxView> Views { get; private set; } = new();

    public string CgroupParent { get; }

    public string Id { get; } = Convert.ToHexStringLower(Guid.NewGuid().ToByteArray().Concat(Guid.NewGuid().ToByteArray()).ToArray());

    public SandboxView? View => Views.Find(Space, Id);

    public SandboxConfig Config => new()
    {
        Name = "web",
        Uid = "uid",
        PodNamespace = "default",
        Hostname = "web-0",
        CgroupParent = CgroupParent,
        Security = new SecurityOptions { Pid = NamespaceMode.Container },
    };

    public SandboxPlan Plan(SandboxConfig? config = null) => SandboxPlan.Make(Space, Id, config ?? Config, Options);

    public bool HasCgroup(string path) => _cgroups.Exists(path);

    /// <summary>Processes whose command line names the sandbox: its shim.</summary>
    public int[] Shims => [.. Directory.EnumerateDirectories("/proc")
        .Select(directory => int.TryParse(Path.GetFileName(directory), out var pid) ? pid : 0)
        .Where(pid => pid > 0 && CommandLine(pid).Contains(Id, StringComparison.Ordinal))];

    /// <summary>What there is on the machine of the sandbox; empty when it has left nothing.</summary>
    public string[] Leftovers =>
    [
        .. MountTable.Read().Under(Options.Directories.State).Select(mount => $"mount {mount.MountPoint}"),
        .. Shims.Select(pid => $"process {pid}"),
        .. HasCgroup($"{CgroupParent}/{Id}") ? ["cgroup"] : Array.Empty<string>(),
        .. Cni.Leases.Select(lease => $"lease {lease}"),
        .. Cni.CacheFiles.Select(file => $"CNI cache {file}"),
        .. new[]
        {
            Options.Directories.Sandbox(Id), Options.Directories.Bundle(Space.Value, Id),
            Path.Combine(Options.Directories.NetworkNamespaces, Id),
        }.Where(path => Path.Exists(path)).Select(path => $"path {path}"),
    ];

    public void Start()
    {
        Views = new ReadModel<SandboxView>();
        _system = _journal.Start(SandboxJournal.Types);
        var shims = new ShimManager(
            new ShimOptions
            {
                Directories = Options.Directories,
                GrpcAddress = Cni["grpc.sock"],
                SocketDirectory = Cni["s"],
                BinaryDirectory = Path.GetDirectoryName(Artifacts.Shim)!,
            },
            TimeProvider.System);
        var slice = SandboxSlice.Create(
            Options, new SandboxPorts(shims, Cni.Network, Resources, new FakeMachine(), new FakeMachine()), Views, new ReadModel<ContainerView>(),
            _journal.StoreOf(_system), TimeProvider.System);
        var containers = new NamespaceSlice("containers", typeof(IContainerCommand), _ => Props.Create(() => new NoContainers()));
        _namespaces = _system.ActorOf(NamespaceManager.Props([slice, containers], [Space]), NamespaceManager.Name);
    }

    /// <summary>Stops the actors where they are.</summary>
    public async Task StopAsync()
    {
        await _journal.StopAsync(_system!);
        _system = null;
    }

    public async Task<T> AskAsync<T>(object command)
    {
        var reply = await _namespaces.Ask(command, TimeSpan.FromSeconds(60));
        return reply is T expected ? expected : throw new InvalidOperationException($"{command.GetType().Name} was answered {reply}");
    }

    public void Tell(object command) => _namespaces.Tell(command, ActorRefs.NoSender);

    public async ValueTask DisposeAsync()
    {
        await _journal.DisposeAsync();
        foreach (var pid in Shims) System.Diagnostics.Process.GetProcessById(pid).Kill();
        if (Directory.Exists(Options.Directories.State)) Mounter.UnmountTree(Options.Directories.State, lazy: true);
        await _cgroups.DeleteAsync(CgroupParent, TimeSpan.FromSeconds(5), TimeProvider.System);
        Cni.Dispose();
    }

    private static string CommandLine(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline");
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private sealed class NoContainers : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            if (message is StopContainer stop) Sender.Tell(new ContainerStopped(stop.EntityId));
            else if (message is RemoveContainer remove) Sender.Tell(new ContainerRemoved(remove.EntityId));
            else Unhandled(message);
        }
    }
}
