using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;
using Runtime.Actors;
using Runtime.Actors.Containers;
using Runtime.Actors.Entities;
using Runtime.Actors.Images;
using Runtime.Actors.Journal;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Network;
using Runtime.Actors.Ports;
using Runtime.Actors.Records;
using Runtime.Actors.Sandboxes;
using Runtime.Actors.Shims;
using Runtime.Actors.Snapshots;
using Runtime.Actors.Statistics;
using Runtime.Actors.Tasks;
using Runtime.Api;
using Runtime.Faults;
using Runtime.Host.Configuration;
using Runtime.Linux;
using Runtime.Linux.Cgroups;
using Runtime.Oci.Registry;

namespace Runtime.Host;

/// <summary>Puts the slices of the domain together: ports to their adapters, managers under their namespaces.</summary>
internal sealed class DomainComposition : IDisposable
{
    /// <summary>A shim's socket is named by 64 hex digits, and a socket's path has at most 106 bytes.</summary>
    private const int SocketDirectoryMax = 106 - 64 - 1;

    /// <summary>Sized for a node full of pods on a slow disk; past it the daemon ends and says so, and systemd tries again.</summary>
    private static readonly TimeSpan RecoveryMax = TimeSpan.FromMinutes(2);

    /// <summary>Of an OCI runtime that is asked what it can do: some milliseconds where it works.</summary>
    private static readonly TimeSpan FeaturesMax = TimeSpan.FromSeconds(2);

    private readonly List<IDisposable> _owned = [];

    private DomainComposition(RuntimeDomain domain, ShimEvents shimEvents, IHandlerFeatures features) =>
        (Domain, ShimEvents, Features) = (domain, shimEvents, features);

    /// <summary>Starts the domain's actors. They recover on their own; commands wait until they have.</summary>
    public static async Task<DomainComposition> ComposeAsync(
        ActorSystem system, JournalSetup journal, ActordConfig config, DirectoryLayout layout)
    {
        var clock = TimeProvider.System;
        var catalog = journal.Store;
        var sandboxes = new ReadModel<SandboxView>();
        var containers = new ReadModel<ContainerView>();

        var features = new RuntimeFeatures(config.Runtimes, KernelFeatures.Read(), FeaturesMax);
        await features.ProbeAsync(CancellationToken.None);

        var registry = new RegistryClient(RegistryOptions(config), clock);
        var images = ImageComposition.Create(system, layout, ImageOptions(config), catalog, clock, registry);
        var snapshots = system.ActorOf(images.Snapshots, SnapshotManager.Name);

        var containerOptions = ContainerOptions(config, layout) with { Features = features };
        containerOptions = containerOptions with
        {
            Policy = containerOptions.Policy with { BlockIo = LoadBlockIo(config.Containers.BlockIoFile, Logging.GetLogger(system, nameof(BlockIoClasses))) },
        };
        if (containerOptions.Host.Apparmor) await LoadApparmorAsync(Logging.GetLogger(system, nameof(ApparmorDefault)));
        var shims = new ShimManager(ShimOptions(config, layout), clock);
        var cni = CniOptions(config, layout);
        var loader = new CniConfigLoader(cni, clock, Logging.GetLogger(system, nameof(CniConfigLoader)));
        var network = new CniNetwork(cni, loader, Logging.GetLogger(system, nameof(CniNetwork)));
        var sandboxOptions = SandboxOptions(config, layout) with
        {
            SelinuxCategories = containerOptions.Host.Selinux ? config.Containers.SelinuxCategories : 0,
        };
        var cgroups = CgroupHierarchy.Detect();
        var resources = new SandboxResources(sandboxOptions, cgroups, clock);

        var volumes = new PodVolumes(images.Requests, images.SnapshotViews, layout);
        var pauses = new PauseContainers(containerOptions, images.Catalog, images.Requests);

        var records = new ReadModel<ContainerRecord>();
        ImmutableArray<NamespaceSlice> slices =
        [
            .. images.Slices,
            new RecordSlice(records, containers, sandboxes, catalog, clock).Create(),
            SandboxSlice.Create(sandboxOptions, new SandboxPorts(shims, network, resources, pauses, volumes), sandboxes, containers, catalog, clock),
            ContainerSlice.Create(
                containerOptions, new ContainerPorts(shims, snapshots, images.Catalog), containers, sandboxes, catalog, clock),
        ];
        var known = await KnownNamespacesAsync(catalog);
        var namespaces = system.ActorOf(NamespaceManager.Props(slices, known), NamespaceManager.Name);
        await RecoverAsync(namespaces, known);
        // An image counts as there only with its snapshots.
        await snapshots.Ask<EntitiesRecovered>(AwaitRecovery.Instance, RecoveryMax);

        var statistics = new StatisticsSampler(
            new StatisticsSources(cgroups, new WritableLayers(images.Drivers, images.SnapshotViews), config.Runtimes, sandboxes, containers),
            new StatisticsOptions(), clock);
        system.ActorOf(StatisticsActor.Props(statistics, config.Images.StatsPeriod), StatisticsActor.Name);

        var domain = new RuntimeDomain(
            namespaces, snapshots, sandboxes, containers, images.ImageNames, images.Pulls, images.SnapshotViews,
            images.Catalog, images.Archives, new NetworkStatus(loader, cni), new PodCidrs(cni, loader), statistics, EntityChanges.Of(system))
        {
            Records = records,
        };
        return new DomainComposition(domain, new ShimEvents(system.EventStream), features) { _owned = { registry, loader } };
    }

    public RuntimeDomain Domain { get; }

    public ShimEvents ShimEvents { get; }

    public IHandlerFeatures Features { get; }

    public static JournalOptions JournalOptions(ActordConfig config, DirectoryLayout layout) => new(layout.JournalFile)
    {
        Synchronous = config.Journal.Synchronous == "full" ? JournalSynchronous.Full : JournalSynchronous.Normal,
        Check = config.Journal.Check switch { "off" => JournalCheck.Off, "full" => JournalCheck.Full, _ => JournalCheck.Quick },
        RetentionAge = config.Journal.Retention,
        RetentionBytes = config.Journal.RetentionSize,
    };

    public static ApiOptions ApiOptions(
        ActordConfig config, DirectoryLayout layout, LoadedConfig loaded, IHandlerFeatures features) => new()
        {
            Features = features,
            Directories = layout,
            Handlers = config.Runtimes,
            Version = ActordVersion.Text,
            SandboxImage = config.Images.SandboxImage,
            Snapshotter = config.Images.Snapshotter,
            SystemdCgroup = config.Runtimes.Resolve("").Options.SystemdCgroup,
        };

    public void Dispose()
    {
        foreach (var resource in Enumerable.Reverse(_owned)) resource.Dispose();
    }

    private static ShimOptions ShimOptions(ActordConfig config, DirectoryLayout layout)
    {
        var sockets = Path.Combine(config.State, "s");
        return new ShimOptions
        {
            Directories = layout,
            GrpcAddress = config.Grpc.Address,
            TtrpcAddress = config.Ttrpc.Address,
            // Where the state directory's name is too long, the place that containerd uses.
            SocketDirectory = sockets.Length <= SocketDirectoryMax ? sockets : "/run/containerd/s",
        };
    }

    private static CniOptions CniOptions(ActordConfig config, DirectoryLayout layout) => new()
    {
        BinDirs = config.Cni.BinDirs,
        ConfDir = config.Cni.ConfDir,
        ConfTemplate = config.Cni.ConfTemplate,
        MaxConfNum = config.Cni.MaxConfNum,
        IpPreference = config.Cni.IpPreference switch
        {
            "ipv6" => CniIpPreference.Ipv6,
            "cni" => CniIpPreference.Cni,
            _ => CniIpPreference.Ipv4,
        },
        CacheDir = layout.CniCache,
    };

    private static SandboxOptions SandboxOptions(ActordConfig config, DirectoryLayout layout) => new()
    {
        Directories = layout,
        Handlers = config.Runtimes,
        Hostname = Environment.MachineName,
        BootId = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim(),
        UnprivilegedPorts = config.Containers.UnprivilegedPorts,
        UnprivilegedIcmp = config.Containers.UnprivilegedIcmp,
        PauseImage = config.Containers.PauseImage,
        PauseSnapshotter = config.Images.Snapshotter,
    };

    // Containers that ask for the default profile are refused until it is loaded; all others run.
    private static async Task LoadApparmorAsync(ILoggingAdapter log)
    {
        try
        {
            await ApparmorDefault.LoadAsync(ApparmorDefault.Parser!, CancellationToken.None);
        }
        catch (FaultException failed)
        {
            log.Warning("{Message}", failed.Message);
        }
    }

    // As for containerd a file that cannot be used is none: only containers that ask for a class are refused.
    private static BlockIoClasses? LoadBlockIo(string file, ILoggingAdapter log)
    {
        if (file.Length == 0) return null;
        try
        {
            return BlockIoClasses.Load(file);
        }
        catch (FaultException failed)
        {
            log.Error("There are no classes of block I/O: {Message}", failed.Message);
            return null;
        }
    }

    private static ContainerOptions ContainerOptions(ActordConfig config, DirectoryLayout layout) => new()
    {
        Directories = layout,
        Handlers = config.Runtimes,
        Host = HostOf(config.Containers),
        UnsetSeccomp = SeccompProfile(config.Containers.UnsetSeccompProfile),
        IgnoreImageVolumes = config.Containers.IgnoreImageVolumes,
        UsualProcPaths = config.Containers.UsualProcPaths,
        DevicesOfUser = config.Containers.DevicesOfUser,
        CdiSpecDirs = config.Containers.CdiSpecDirs,
        Policy = config.Containers.Policy,
        Tasks = new TaskOptions
        {
            LogLineBytesMax = Math.Max(0, config.Containers.LogLineMax),
            LogBytesMax = Math.Max(0, config.Containers.LogSizeMax),
            ExecDrainTimeout = config.Containers.DrainExecTimeout,
        },
    };

    private static HostFacts HostOf(ContainersConfig config)
    {
        var host = HostProbe.Read(
            restrictOomScore: config.RestrictOomScoreAdj, disableApparmor: config.DisableApparmor, enableSelinux: config.EnableSelinux);
        return config.HugetlbDisabled
            ? host with { Hugetlb = false }
            : host with { HugetlbRequired = config.HugetlbRequired };
    }

    private static ImageOptions ImageOptions(ActordConfig config) => new()
    {
        Snapshotter = config.Images.Snapshotter,
        PinnedImages = config.Images.SandboxImage.Length > 0 ? [config.Images.SandboxImage] : [],
        MaxConcurrentDownloads = config.Images.MaxConcurrentDownloads,
        PullProgressTimeout = config.Images.PullProgressTimeout,
        SyncFs = config.Images.SyncFs,
    };

    private static RegistryOptions RegistryOptions(ActordConfig config) => new()
    {
        ConfigPath = string.Join(':', config.Images.RegistryConfigPaths),
    };

    // The words of the kubelet's old annotations, as the key has always been written.
    private static SecurityProfile? SeccompProfile(string text) => text switch
    {
        "" => null,
        "runtime/default" or "docker/default" => new SecurityProfile(SecurityProfileKind.RuntimeDefault, ""),
        "unconfined" => new SecurityProfile(SecurityProfileKind.Unconfined, ""),
        _ => new SecurityProfile(SecurityProfileKind.Localhost, text.StartsWith("localhost/", StringComparison.Ordinal) ? text["localhost/".Length..] : text),
    };

    // A kubelet that sees a list which is not whole yet takes what it misses for dead.
    private static Task<EntitiesRecovered[]> RecoverAsync(IActorRef namespaces, ImmutableArray<NamespaceName> known) => Task.WhenAll(
        from space in known
        from slice in new[] { ImageManager.Name, SandboxManager.Name, "containers", RecordSlice.Name }
        select namespaces.Ask<EntitiesRecovered>(new AwaitSliceRecovery(space, slice), RecoveryMax));

    // The namespaces that the journal knows come back at once; CRI's is always there.
    private static async Task<ImmutableArray<NamespaceName>> KnownNamespacesAsync(JournalStore catalog)
    {
        var ids = await catalog.LiveAsync("", CancellationToken.None);
        return [.. ids.Select(id => id.Split('/', 3)).Where(parts => parts.Length == 3)
            .Select(parts => new NamespaceName(parts[1])).Append(NamespaceName.Kubernetes).Distinct()];
    }
}
