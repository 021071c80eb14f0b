using System.Collections.Immutable;
using Akka.Actor;
using Runtime.Actors.Content;
using Runtime.Actors.Diffs;
using Runtime.Actors.Entities;
using Runtime.Actors.Journal;
using Runtime.Actors.Leases;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Ports;
using Runtime.Actors.Pulls;
using Runtime.Actors.Snapshots;
using Runtime.Actors.Transfers;
using Runtime.Faults;
using Runtime.Oci.Registry;

namespace Runtime.Actors.Images;

/// <summary>Everything about images of one daemon: content, snapshots, names, pulls, archives.</summary>
/// <param name="Slices">For <see cref="NamespaceManager"/>: images, pulls, content.</param>
/// <param name="Snapshots">For an actor called <see cref="SnapshotManager.Name"/> at the top.</param>
/// <param name="Sweep">Collects on demand.</param>
/// <param name="Requests">Takes commands to any of them, once they have been started.</param>
public sealed record ImageComposition(
    ImmutableArray<NamespaceSlice> Slices,
    Props Snapshots,
    ReadModel<ImageView> ImageNames,
    ReadModel<PullView> Pulls,
    ReadModel<SnapshotView> SnapshotViews,
    ReadModel<ContentView> ContentViews,
    ContentStore Content,
    ContentPins Pins,
    SnapshotDrivers Drivers,
    IImageCatalog Catalog,
    IImageArchives Archives,
    ContentSweep Sweep,
    ContentDomain ContentDomain,
    ILayerDiffer Differ,
    IImageTransfers Transfers,
    EntityRequests Requests)
{
    /// <summary>Events of all of them, for the journal's list of types.</summary>
    public static ImmutableArray<JournalType> JournalTypes =>
        [.. ContentJournal.Types, .. SnapshotJournal.Types, .. ImageJournal.Types];

    /// <summary>Makes the parts. The actors are the caller's to start, under <c>/user/snapshots</c> and <c>/user/namespaces</c>.</summary>
    /// <param name="system">Where they will be.</param>
    /// <param name="registry">One per process; the caller's to dispose.</param>
    /// <param name="roots">What keeps content beside images; null for nothing.</param>
    /// <exception cref="FaultException">
    /// Unimplemented <c>snapshot.no-overlay</c>; InvalidArgument <c>snapshot.no-snapshotter</c> for an unknown one in the options.
    /// </exception>
    public static ImageComposition Create(
        ActorSystem system, DirectoryLayout layout, ImageOptions options, IJournalCatalog journal, TimeProvider clock,
        RegistryClient registry, GarbageRoots? roots = null)
    {
        var names = new ReadModel<ImageView>();
        var pulls = new ReadModel<PullView>();
        var snapshots = new ReadModel<SnapshotView>();
        var records = new ReadModel<ContentView>();
        var content = new ContentStore(layout.Content, options.SyncContent, clock);
        var drivers = new SnapshotDrivers(DriversOf(layout, options));
        var driver = drivers[options.Snapshotter];
        var pins = new ContentPins();

        var toNamespaces = system.ActorSelection($"/user/{NamespaceManager.Name}");
        var toSnapshots = system.ActorSelection($"/user/{SnapshotManager.Name}");
        var requests = new EntityRequests(command => command is ISnapshotCommand ? toSnapshots : toNamespaces);

        var inspector = new ImageInspector(content);
        var unpackers = drivers.All.ToImmutableDictionary(
            each => each.Name, each => new ImageUnpacker(requests, each, snapshots, options.SyncFs, clock));
        var unpacker = unpackers[driver.Name];
        var recorder = new ImageRecorder(requests, content, driver.Name);
        var pipeline = new PullPipeline(registry, content, pins, unpacker, recorder, options, clock);
        var sweep = new ContentSweep(
            content, new GcSources(names, records, snapshots, roots ?? new(), inspector), pins, requests, options.IngestAgeMax, clock);
        var leases = new LeaseKeeper(requests, pins);
        var usage = new ImageUsage(content, drivers, snapshots, driver.Name, clock);
        var archives = new ImageArchives(content, pins, unpacker, recorder, names, inspector, options);
        return new ImageComposition(
            [
                new(ImageManager.Name, typeof(IImageCommand), space => ImageManager.Props(space, names, journal, clock)),
                new(PullManager.Name, typeof(IPullCommand), _ => PullManager.Props(pipeline, pulls, clock)),
                new(ContentManager.Name, typeof(IContentCommand), space => ContentManager.Props(space, records, clock)),
            ],
            SnapshotManager.Props(drivers, snapshots, journal, clock),
            names, pulls, snapshots, records, content, pins, drivers,
            new ImageCatalog(names, snapshots, inspector, sweep, requests, usage, options),
            archives, sweep,
            new ContentDomain(new ContentCatalog(content, records, pins, leases, requests), sweep, pins, leases, inspector),
            new LayerDiffer(content, records, pins, requests, new TemporaryMounts(layout.TemporaryMounts), clock),
            new ImageTransfers(registry, content, records, pins, names, unpackers, requests, archives, options, clock), requests);
    }

    // Native is always there: what was made with it before, or is made with it by name, works whatever is configured. So is
    // overlayfs where it was used before.
    private static IEnumerable<ISnapshotDriver> DriversOf(DirectoryLayout layout, ImageOptions options)
    {
        var overlay = layout.Snapshotter(OverlaySnapshots.DriverName);
        if (options.Snapshotter is not (OverlaySnapshots.DriverName or NativeSnapshots.DriverName))
        {
            throw new FaultException(FaultKind.InvalidArgument, "snapshot.no-snapshotter",
                $"There is no snapshotter \"{options.Snapshotter}\": overlayfs and native are.");
        }
        yield return new NativeSnapshots(layout.Snapshotter(NativeSnapshots.DriverName));
        if (options.Snapshotter == OverlaySnapshots.DriverName || Directory.Exists(overlay)) yield return new OverlaySnapshots(overlay);
    }
}
