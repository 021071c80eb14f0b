using System.IO.Pipelines;
using Runtime.Actors.Content;
using Runtime.Faults;
using Runtime.Oci.Layers;
using Runtime.Oci.Registry;

namespace Runtime.Actors.Pulls;

/// <summary>
/// Layers from a registry, in one pass: socket, hash and ingest on one thread; decompression, diff id and unpacking on another, over a
/// bounded pipe. A blob that is stored is not fetched; one that another pull is fetching is waited for; an ingest is taken up where
/// it stopped, its bytes coming from the disk first.
/// </summary>
internal sealed class LayerDownloads(ContentStore content, RegistrySession registry, PullProgress progress, StallGuard stalls)
    : ILayerSource
{
    private const int BufferBytes = 256 * 1024;

    /// <summary>What may be downloaded and not yet unpacked, per layer.</summary>
    private static readonly PipeOptions PipeLimits = new(
        pauseWriterThreshold: 4 * BufferBytes, resumeWriterThreshold: 2 * BufferBytes, minimumSegmentSize: 64 * 1024,
        useSynchronizationContext: false);

    public async Task<LayerReport> ReadAsync(
        LayerPlan layer, Func<Stream, CancellationToken, Task<LayerReport>> unpack, CancellationToken cancellation)
    {
        var digest = layer.Blob.Digest;
        using var ingest = await content.OpenIngestAsync(RefOf(layer), digest, layer.Blob.Size, wait: true, cancellation);
        if (ingest is null)
        {
            progress.Report(digest, "unpacking", layer.Blob.Size);
            await using var blob = content.OpenRead(digest);
            var unpacked = await unpack(blob, cancellation);
            progress.Report(digest, "done", layer.Blob.Size);
            return unpacked;
        }
        var report = await DownloadAsync(layer, ingest, unpack, cancellation);
        progress.Report(digest, "done", layer.Blob.Size);
        return report;
    }

    /// <summary>As containerd's clients call it, so that a half download of theirs would be taken up too.</summary>
    public static string RefOf(LayerPlan layer) => $"layer-{layer.Blob.Digest}";

    private async Task<LayerReport> DownloadAsync(
        LayerPlan layer, ContentIngest ingest, Func<Stream, CancellationToken, Task<LayerReport>> unpack,
        CancellationToken cancellation)
    {
        var pipe = new Pipe(PipeLimits);
        var unpacking = UnpackAsync();
        try
        {
            await FetchAsync(layer, ingest, pipe.Writer, unpacking, cancellation);
            // 1. The digest first: what is wrong with other bytes than these is of no interest.
            ingest.Commit(layer.Blob.Size, layer.Blob.Digest);
            await pipe.Writer.CompleteAsync();
            progress.Report(layer.Blob.Digest, "unpacking", layer.Blob.Size);
        }
        catch (Exception failed)
        {
            // 2. Unpacking ends before this returns: its directory is about to be removed.
            await pipe.Writer.CompleteAsync(failed);
            await ((Task)unpacking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            // A full disk gets its space back. Other failures leave what came, for the next try.
            if (failed is FaultException { Fault.Kind: FaultKind.ResourceExhausted, Fault.Code: not "registry.rate-limited" })
                ingest.Abort();
            throw;
        }
        return await unpacking;

        async Task<LayerReport> UnpackAsync()
        {
            await Task.Yield();
            try
            {
                await using var stream = pipe.Reader.AsStream(leaveOpen: true);
                var report = await unpack(stream, cancellation);
                // Bytes after a gzip member's or zstd frame's end would stop the download at the pipe's limit.
                await pipe.Reader.CopyToAsync(Stream.Null, cancellation);
                await pipe.Reader.CompleteAsync();
                return report;
            }
            catch
            {
                // Without the cause, which would go to the writer and stop the download.
                await pipe.Reader.CompleteAsync();
                throw;
            }
        }
    }

    /// <summary>Stored bytes, then the registry's, into the pipe; and the registry's into the ingest.</summary>
    private async Task FetchAsync(
        LayerPlan layer, ContentIngest ingest, PipeWriter unpacker, Task unpacking, CancellationToken cancellation)
    {
        var buffer = new byte[BufferBytes];
        var fed = true;
        for (int read; (read = ingest.Replay(buffer)) > 0;)
        {
            fed = fed && await FeedAsync(read);
            progress.Report(layer.Blob.Digest, "downloading", ingest.Offset);
        }
        if (ingest.Offset == layer.Blob.Size) return;
        await using var blob = await stalls.WatchAsync(
            () => registry.OpenBlobAsync(layer.Blob, ingest.Offset, cancellation), cancellation);
        while (true)
        {
            var read = await stalls.WatchAsync(() => blob.ReadAsync(buffer, cancellation).AsTask(), cancellation);
            if (read == 0) return;
            stalls.Progressed();
            ingest.Write(buffer.AsSpan(0, read));
            progress.Report(layer.Blob.Digest, "downloading", ingest.Offset);
            fed = fed && await FeedAsync(read);
        }

        // False once unpacking has ended: the rest is downloaded all the same, because only the digest tells whether the
        // bytes are wrong or the layer is.
        async ValueTask<bool> FeedAsync(int count)
        {
            var flushed = await unpacker.WriteAsync(buffer.AsMemory(0, count), cancellation);
            if (!flushed.IsCompleted) return true;
            await unpacking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var cause = unpacking.Exception?.GetBaseException() as FaultException;
            return cause is null or { Fault.Kind: FaultKind.InvalidArgument or FaultKind.DataLoss } ? false : throw cause;
        }
    }
}
