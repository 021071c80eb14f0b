using System.Collections.Concurrent;
using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Actors.Leases;
using Runtime.Actors.Namespaces;
using Runtime.Faults;
using Runtime.Oci.Images;

namespace Runtime.Actors.Content;

/// <summary>
/// The content of one daemon as its namespaces see it: each has its own records and ingests over the bytes that all share. Thread-safe.
/// </summary>
/// <remarks>Calls block for as long as the disk does: they are not for an actor's thread.</remarks>
public sealed class ContentCatalog(
    ContentStore store, ReadModel<ContentView> records, ContentPins pins, LeaseKeeper leases, EntityRequests requests)
{
    private readonly ConcurrentDictionary<string, CancellationTokenSource> _writing = [];

    /// <summary>Namespaces that know of content.</summary>
    public IEnumerable<NamespaceName> Spaces => records.All.Keys;

    public ImmutableDictionary<string, ContentView> In(NamespaceName space) => records.In(space);

    /// <exception cref="FaultException">NotFound.</exception>
    public ContentView Find(NamespaceName space, Digest digest) =>
        records.Find(space, digest.ToString()) ?? throw ContentFaults.NotFound(digest);

    /// <exception cref="FaultException">NotFound where the namespace does not know it.</exception>
    public FileStream OpenRead(NamespaceName space, Digest digest)
    {
        Find(space, digest);
        return store.OpenRead(digest);
    }

    /// <summary>The ingests of a namespace.</summary>
    public IEnumerable<IngestStatus> Statuses(NamespaceName space)
    {
        var prefix = IngestOf(space, "");
        return store.Statuses().Where(status => status.Reference.StartsWith(prefix, StringComparison.Ordinal))
            .Select(status => status with { Reference = status.Reference[prefix.Length..] });
    }

    /// <exception cref="FaultException">NotFound <c>content.no-ingest</c>.</exception>
    public IngestStatus Status(NamespaceName space, string reference) => store.Find(IngestOf(space, reference)) is { } status
        ? status with { Reference = reference }
        : throw ContentFaults.NoIngest(reference);

    /// <summary>Throws an ingest away. Its writer, if it has one, ends first.</summary>
    /// <exception cref="FaultException">NotFound.</exception>
    public async Task AbortAsync(NamespaceName space, string reference, CancellationToken cancellation)
    {
        var ingest = IngestOf(space, reference);
        if (_writing.TryGetValue(ingest, out var writing)) await writing.CancelAsync();
        if (!await store.AbortAsync(ingest, cancellation)) throw ContentFaults.NoIngest(reference);
    }

    /// <summary>Begins an ingest or takes one up.</summary>
    /// <param name="expected">Empty when the writer does not know it.</param>
    /// <param name="total">Bytes in all; 0 when that is not known.</param>
    /// <param name="lease">Holds the ingest, and then the blob; empty for none.</param>
    /// <exception cref="FaultException">
    /// AlreadyExists where the namespace has the digest; Unavailable <c>content.locked</c> while the ref has another writer.
    /// </exception>
    public async Task<ContentWriter> OpenWriterAsync(
        NamespaceName space, string reference, Digest expected, long total, string? lease, CancellationToken cancellation)
    {
        var used = pins.Begin();
        IDisposable? held = null;
        try
        {
            if (!expected.IsEmpty)
            {
                await used.AddAsync(expected.ToString(), cancellation);
                if (records.Find(space, expected.ToString()) is not null)
                {
                    await leases.HoldAsync(space, lease, LeaseResource.Content(expected.ToString()), cancellation);
                    throw ContentFaults.Exists(expected);
                }
            }
            var ingest = IngestOf(space, reference);
            held = store.Lock(ingest, reference);
            await leases.HoldAsync(space, lease, LeaseResource.Ingest(reference), cancellation);
            var stopping = _writing[ingest] = new CancellationTokenSource();
            var writer = new ContentWriter(this, new IngestName(space, reference, ingest), held, used, stopping, lease);
            try
            {
                writer.Begin(store, expected, total);
            }
            catch
            {
                writer.Dispose();
                throw;
            }
            return writer;
        }
        catch
        {
            held?.Dispose();
            used.Dispose();
            throw;
        }
    }

    /// <summary>What an ingest of a namespace is called among those of all.</summary>
    internal static string IngestOf(NamespaceName space, string reference) => $"{space}/{reference}";

    internal async Task RecordAsync(IngestName ingest, ContentEntry entry, string? lease, CancellationToken cancellation)
    {
        await leases.HoldAsync(ingest.Space, lease, LeaseResource.Content(entry.Digest), cancellation);
        await leases.ReleaseAsync(ingest.Space, lease, LeaseResource.Ingest(ingest.Reference), cancellation);
        await requests.SendAsync<ContentAdded>(new AddContent(ingest.Space, [entry]) { IsNew = true }, cancellation);
    }

    internal void Closed(IngestName ingest, CancellationTokenSource stopping) =>
        _writing.TryRemove(KeyValuePair.Create(ingest.InStore, stopping));
}

/// <param name="InStore">What the store calls it.</param>
internal sealed record IngestName(NamespaceName Space, string Reference, string InStore);
