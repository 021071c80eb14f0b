using Akka.Actor;
using Runtime.Actors;
using Runtime.Actors.Entities;
using Runtime.Actors.Images;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Ports;
using Runtime.Actors.Pulls;
using Runtime.Actors.Snapshots;
using Runtime.Linux.Mounts;
using Runtime.Oci.Registry;
using Runtime.Tests.Unit.Cri;

namespace Runtime.Tests.Support;

/// <summary>
/// Images as the daemon has them, with the real journal, disk and registry client. <see cref="StartAsync"/> after
/// <see cref="StopAsync"/> on the same directories is a restart of the daemon.
/// </summary>
public sealed class ImageWorld : IAsyncDisposable
{
    public static readonly NamespaceName Space = NamespaceName.Kubernetes;

    private readonly TestJournal _journal = new();
    private readonly TempDirectory _directory = new();
    private RegistryClient? _registry;
    private ActorSystem? _system;

    public ImageOptions Options { get; init; } = new() { SyncContent = false };

    public RegistryOptions Registry { get; init; } = new() { FirstDelay = TimeSpan.FromMilliseconds(5), MaxDelay = TimeSpan.FromMilliseconds(50) };

    /// <summary>Where content and snapshots are; the temporary directory by default.</summary>
    public string? Root { get; init; }

    public DirectoryLayout Layout => new(Root ?? _directory["root"], _directory["state"]);

    public ImageComposition Images { get; private set; } = null!;

    /// <summary>As the gRPC floors see it: images, content and snapshots are real, pods there are none.</summary>
    public RuntimeDomain Domain { get; private set; } = null!;

    public EntityRequests Requests { get; private set; } = null!;

    public static async Task<ImageWorld> NewAsync() => await new ImageWorld().StartAsync();

    public string this[string name] => _directory[name];

    public async Task<ImageWorld> StartAsync()
    {
        _registry = new RegistryClient(Registry, TimeProvider.System);
        var system = _system = _journal.Start(ImageComposition.JournalTypes);
        var store = _journal.StoreOf(system);
        Images = ImageComposition.Create(system, Layout, Options, store, TimeProvider.System, _registry);
        var snapshots = system.ActorOf(Images.Snapshots, SnapshotManager.Name);
        await snapshots.Ask<EntitiesRecovered>(AwaitRecovery.Instance, TimeSpan.FromSeconds(30));
        var known = (await store.LiveAsync("", CancellationToken.None))
            .Select(id => new NamespaceName(id.Split('/')[1])).Distinct();
        var namespaces = system.ActorOf(NamespaceManager.Props(Images.Slices, [.. known]), NamespaceManager.Name);
        Domain = new RuntimeDomain(
            namespaces, snapshots, new(), new(), Images.ImageNames, Images.Pulls, Images.SnapshotViews, Images.Catalog, Images.Archives,
            new ScriptedDomain.FakeNetwork(), new ScriptedDomain.FakePodCidrs(), new ScriptedDomain.FakeStatistics(), EntityChanges.Of(system))
        {
            Snapshotters = Images.Drivers,
            Differ = Images.Differ,
            Transfers = Images.Transfers,
        };
        Requests = new EntityRequests(command => command is ISnapshotCommand ? snapshots : namespaces);
        return this;
    }

    public async Task StopAsync()
    {
        if (_system is { } system) await _journal.StopAsync(system);
        _system = null;
        _registry?.Dispose();
    }

    public Task<ImagePulled> PullAsync(string reference, RegistryAuth? auth = null) => PullUntilAsync(reference, auth, CancellationToken.None);

    public Task<ImagePulled> PullUntilAsync(string reference, RegistryAuth? auth, CancellationToken cancellation) =>
        Requests.SendAsync<ImagePulled>(new PullImage(Space, reference, auth, ""), cancellation);

    public void Tell(IEntityCommand command) => _system!.ActorSelection("/user/namespaces").Tell(command);

    /// <summary>Mounts a view of the image somewhere, looks, and unmounts.</summary>
    public async Task LookAsync(string chainId, Action<string> look)
    {
        const string key = "look";
        var snapshotter = Options.Snapshotter;
        var view = await Requests.SendAsync<SnapshotMounts>(
            new ViewSnapshot(Space, key, snapshotter, chainId, System.Collections.Immutable.ImmutableSortedDictionary<string, string>.Empty),
            CancellationToken.None);
        var at = Directory.CreateDirectory(this["look"]).FullName;
        Mounter.MountAll(view.Mounts, at);
        try
        {
            look(at);
        }
        finally
        {
            Mounter.UnmountAll(at);
            await Requests.SendAsync<SnapshotRemoved>(new RemoveSnapshot(Space, key, snapshotter), CancellationToken.None);
        }
    }

    /// <summary>Waits for something that happens in the background.</summary>
    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!condition())
        {
            if (limit.IsCancellationRequested) throw new TimeoutException($"It did not come to be in 30 s: {what}.");
            await Task.Delay(10, CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _journal.DisposeAsync();
        // What removes snapshots in the background may still be at it.
        Linux.Files.DirectoryTree.Delete(Layout.Root);
        _directory.Dispose();
    }
}
