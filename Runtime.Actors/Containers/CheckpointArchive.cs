using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Linux.Mounts;
using Runtime.Oci.Layers;

namespace Runtime.Actors.Containers;

/// <summary>A checkpoint as a file, with containerd's names, which <c>checkpointctl</c> and a restore read.</summary>
/// <remarks>
/// <code>
/// checkpoint/...     CRIU's images
/// config.dump        which container of which image it was
/// spec.dump          its OCI spec
/// status.dump        CRI's status of it, and status: what containerd keeps of one
/// rootfs-diff.tar    what it had changed, a compressed layer in spite of its name
/// container.log      its log so far
/// stats-dump, dump.log    CRIU's own
/// </code>
/// </remarks>
internal sealed class CheckpointArchive(ContainerPlan plan, string directory, DateTimeOffset now)
{
    private const uint ArchiveMode = 0b110_000_000; // it holds the container's memory
    private const string DiffName = "rootfs-diff.tar";

    /// <summary>Where CRIU puts its images.</summary>
    public string Images => Path.Combine(directory, "checkpoint");

    /// <summary>Where CRIU puts its log and statistics.</summary>
    public string Work => Path.Combine(directory, "work");

    private string Diff => Path.Combine(directory, DiffName);

    /// <summary>Copies what the container has changed; it must not run meanwhile.</summary>
    /// <exception cref="FaultException">FailedPrecondition: its root file system is no overlay.</exception>
    public async Task CopyChangesAsync(IEnumerable<MountSpec> rootfs, CancellationToken cancellation)
    {
        const string Option = "upperdir=";
        var upper = rootfs.SelectMany(mount => mount.Options).FirstOrDefault(option => option.StartsWith(Option, StringComparison.Ordinal))
            ?? throw new FaultException(FaultKind.FailedPrecondition, "checkpoint.no-overlay",
                $"Container {plan.Id}: what it has changed is known only with the snapshotter overlayfs; it has {plan.Snapshotter}.");
        await using var file = File.Create(Diff);
        await using var compressed = new GZipStream(file, CompressionLevel.Fastest);
        await OverlayDiff.WriteAsync(upper[Option.Length..], compressed, cancellation);
    }

    /// <summary>Writes the archive beside its place, then moves it there.</summary>
    /// <param name="status">CRI's status, as JSON.</param>
    public async Task WriteAsync(string location, ContainerView view, ReadOnlyMemory<byte> status, string specPath, CancellationToken cancellation)
    {
        var unfinished = $"{location}.{plan.Id[..12]}.tmp";
        try
        {
            await using (var file = new FileStream(unfinished, new FileStreamOptions
            {
                Mode = FileMode.Create,
                Access = FileAccess.Write,
                UnixCreateMode = (UnixFileMode)ArchiveMode,
            }))
            {
                await using var tar = new TarWriter(file, TarEntryFormat.Pax);
                await tar.WriteEntryAsync(Images, "checkpoint", cancellation);
                foreach (var image in Directory.EnumerateFiles(Images).Order(StringComparer.Ordinal))
                    await tar.WriteEntryAsync(image, $"checkpoint/{Path.GetFileName(image)}", cancellation);
                await MadeAsync(tar, "config.dump", Config(view), cancellation);
                await MadeAsync(tar, "status.dump", status, cancellation);
                await MadeAsync(tar, "status", Status(view), cancellation);
                await CopyAsync(tar, specPath, "spec.dump", cancellation);
                await CopyAsync(tar, Diff, DiffName, cancellation);
                await CopyAsync(tar, CopiedLog(view.LogPath), "container.log", cancellation);
                await CopyAsync(tar, Path.Combine(Work, "stats-dump"), "stats-dump", cancellation);
                await CopyAsync(tar, Path.Combine(Work, "dump.log"), "dump.log", cancellation);
            }
            DurableFiles.Rename(unfinished, location);
        }
        finally
        {
            File.Delete(unfinished);
        }
    }

    // The log may grow while it is read, which a tar does not forgive.
    private string CopiedLog(string path)
    {
        var copy = Path.Combine(directory, "container.log");
        if (File.Exists(path)) File.Copy(path, copy, overwrite: true);
        return copy;
    }

    // A log that is not kept, or CRIU's notes where it wrote none, are left out.
    private static async Task CopyAsync(TarWriter tar, string path, string name, CancellationToken cancellation)
    {
        if (!File.Exists(path)) return;
        await using var content = File.OpenRead(path);
        await tar.WriteEntryAsync(
            new PaxTarEntry(TarEntryType.RegularFile, name) { Mode = (UnixFileMode)ArchiveMode, DataStream = content }, cancellation);
    }

    private async Task MadeAsync(TarWriter tar, string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
        await tar.WriteEntryAsync(
            new PaxTarEntry(TarEntryType.RegularFile, name)
            {
                Mode = (UnixFileMode)ArchiveMode,
                ModificationTime = now,
                DataStream = new MemoryStream(content.ToArray()),
            },
            cancellation);

    private byte[] Config(ContainerView view) => Json(json =>
    {
        json.WriteString("id", plan.Id);
        json.WriteString("name", plan.Config.Name);
        json.WriteString("rootfsImage", plan.ImageName);
        json.WriteString("rootfsImageRef", plan.ImageRef);
        json.WriteString("rootfsImageName", plan.ImageName);
        json.WriteString("runtime", plan.RuntimeHandler);
        json.WriteString("createdTime", view.CreatedAt);
        json.WriteString("checkpointedTime", now);
        json.WriteString("restoredTime", "0001-01-01T00:00:00Z"); // Go's time that is none
        json.WriteBoolean("restored", false);
    });

    private static byte[] Status(ContainerView view) => Json(json =>
    {
        json.WriteString("Version", "v1");
        json.WriteNumber("Pid", view.Pid);
        json.WriteNumber("CreatedAt", Nanoseconds(view.CreatedAt));
        json.WriteNumber("StartedAt", view.StartedAt is { } started ? Nanoseconds(started) : 0);
        json.WriteNumber("FinishedAt", 0);
        json.WriteNumber("ExitCode", 0);
        json.WriteString("Reason", "");
        json.WriteString("Message", "");
    });

    private static long Nanoseconds(DateTimeOffset at) => (at - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;

    private static byte[] Json(Action<Utf8JsonWriter> content)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            content(json);
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }
}
