using System.Globalization;
using Runtime.Faults;
using Runtime.Linux.Files;

namespace Runtime.Actors.Content;

/// <summary>An ingest as lists show it.</summary>
/// <param name="Offset">Bytes that are stored.</param>
/// <param name="Total">Bytes in all; 0 when that is not known.</param>
public sealed record IngestStatus(string Reference, long Offset, long Total, DateTimeOffset StartedAt, DateTimeOffset UpdatedAt);

public sealed partial class ContentStore
{
    /// <summary>Ingests with a writer and ingests that wait to be taken up again.</summary>
    public IEnumerable<IngestStatus> Statuses() =>
        new DirectoryInfo(_ingests).EnumerateDirectories().Select(directory => StatusIn(directory.FullName)).OfType<IngestStatus>();

    /// <exception cref="FaultException">NotFound <c>content.no-ingest</c>.</exception>
    public IngestStatus Status(string reference) => Find(reference) ?? throw ContentFaults.NoIngest(reference);

    /// <summary>Null for a ref without an ingest.</summary>
    public IngestStatus? Find(string reference) => StatusIn(IngestDirectory(reference));

    /// <summary>Throws an ingest away.</summary>
    /// <exception cref="FaultException">NotFound; Unavailable <c>content.locked</c> while it has a writer.</exception>
    public void Abort(string reference)
    {
        using var held = _writers.TryAcquire(reference) ?? throw ContentFaults.Locked(reference);
        if (!DirectoryTree.Delete(IngestDirectory(reference))) throw ContentFaults.NoIngest(reference);
    }

    /// <summary>Throws an ingest away, after its writer if it has one. False where there is none.</summary>
    internal async Task<bool> AbortAsync(string reference, CancellationToken cancellation)
    {
        using var held = await _writers.AcquireAsync(reference, cancellation);
        return DirectoryTree.Delete(IngestDirectory(reference));
    }

    /// <summary>Throws away ingests that nobody has written to since <paramref name="before"/>.</summary>
    /// <param name="isKept">Refs that stay all the same; null for none.</param>
    /// <returns>How many.</returns>
    public int AbortStale(DateTimeOffset before, Predicate<string>? isKept = null)
    {
        var aborted = 0;
        foreach (var directory in Directory.GetDirectories(_ingests))
        {
            // One that cannot be read was being made when the daemon died.
            var status = StatusIn(directory);
            var age = status?.UpdatedAt ?? Directory.GetLastWriteTimeUtc(directory);
            if (age >= before || (status is not null && isKept?.Invoke(status.Reference) is true)) continue;
            using var held = status is null ? null : _writers.TryAcquire(status.Reference);
            if (status is not null && held is null) continue;
            if (DirectoryTree.Delete(directory)) aborted++;
        }
        return aborted;
    }

    private static IngestStatus? StatusIn(string directory)
    {
        try
        {
            var data = new FileInfo(Path.Combine(directory, "data"));
            var reference = File.ReadAllText(Path.Combine(directory, "ref"));
            return new IngestStatus(
                reference, data.Length, ReadTotal(directory), ReadTime(directory, "startedat"), data.LastWriteTimeUtc);
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    internal static long ReadTotal(string directory) =>
        File.Exists(Path.Combine(directory, "total"))
        && long.TryParse(File.ReadAllText(Path.Combine(directory, "total")), CultureInfo.InvariantCulture, out var total) ? total : 0;

    private static DateTimeOffset ReadTime(string directory, string name) =>
        File.Exists(Path.Combine(directory, name))
        && DateTimeOffset.TryParse(
            File.ReadAllText(Path.Combine(directory, name)), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            ? at
            : Directory.GetLastWriteTimeUtc(directory);
}
