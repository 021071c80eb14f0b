using System.Collections.Immutable;
using Runtime.Actors.Snapshots;

namespace Runtime.Actors.Images;

/// <summary>How images are pulled and kept.</summary>
public sealed record ImageOptions
{
    /// <summary><c>overlayfs</c>, or <c>native</c>, which copies and works on any file system. <c>snapshotter</c> of the CRI table.</summary>
    public string Snapshotter { get; init; } = OverlaySnapshots.DriverName;

    /// <summary>References of images that nobody may collect, as the configuration has them. <c>pinned_images</c>.</summary>
    public ImmutableArray<string> PinnedImages { get; init; } = [];

    /// <summary>Layers of one pull that come in at the same time. <c>max_concurrent_downloads</c>.</summary>
    public int MaxConcurrentDownloads { get; init; } = 3;

    /// <summary>
    /// A pull for which no byte comes for this long is given up; time spent on unpacking does not count. Zero: never.
    /// <c>image_pull_progress_timeout</c>.
    /// </summary>
    public TimeSpan PullProgressTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Unpacked layers are on the disk before they are committed. <c>image_pull_with_sync_fs</c>.</summary>
    public bool SyncFs { get; init; }

    /// <summary>Every blob is on the disk before it has its name.</summary>
    public bool SyncContent { get; init; } = true;

    /// <summary>Unfinished downloads that nobody took up again for this long are thrown away by the next collection.</summary>
    public TimeSpan IngestAgeMax { get; init; } = TimeSpan.FromDays(1);
}
