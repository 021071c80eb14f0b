using System.Globalization;
using Microsoft.AspNetCore.Http;
using Runtime.Faults;
using Runtime.Oci.Images;
using Runtime.Oci.Registry;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Registry;

/// <summary>Downloads over connections that fail.</summary>
public sealed class BlobStreamTests
{
    private static readonly byte[] Blob = [.. Enumerable.Range(0, 300_000).Select(i => (byte)(i * 31 / 7))];
    private static readonly Descriptor Layer = Descriptor.Of(MediaTypes.OciLayer, Blob);

    private static readonly RegistryOptions Quick = new()
    {
        FirstDelay = TimeSpan.FromMilliseconds(2),
        MaxDelay = TimeSpan.FromMilliseconds(20),
        StallTimeout = TimeSpan.FromSeconds(20),
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true, 0)]
    [InlineData(true, 100_000)]
    [InlineData(true, 299_999)]
    [InlineData(false, 100_000)]
    public async Task A_blob_comes_from_the_offset_to_its_end_whether_the_server_knows_ranges_or_not(bool ranges, int offset)
    {
        await using var server = await TestHttpServer.StartAsync(context => SendAsync(context, ranges, Blob.Length));
        using var client = new RegistryClient(Quick, TimeProvider.System);
        using var session = client.Open(Reference(server), null);

        await using var download = await session.OpenBlobAsync(Layer, offset, Cancellation);

        Assert.Equal(Blob[offset..], await ReadAsync(download));
        Assert.Equal((ranges || offset == 0, (long)offset, (long)Blob.Length, 0), (download.RangeHonoured, download.Offset, download.TotalLength, download.Resumes));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_download_goes_on_where_it_was_cut(bool ranges)
    {
        var limit = 0;
        // Each answer gets a little further than the one before.
        await using var server = await TestHttpServer.StartAsync(
            context => SendAsync(context, ranges, ranges ? 70_000 : Interlocked.Add(ref limit, 70_000)));
        using var client = new RegistryClient(Quick, TimeProvider.System);
        using var session = client.Open(Reference(server), null);

        await using var download = await session.OpenBlobAsync(Layer, 0, Cancellation);

        Assert.Equal(Blob, await ReadAsync(download));
        Assert.InRange(download.Resumes, 4, 6);
    }

    [Fact]
    public async Task A_download_that_is_cut_without_progress_fails()
    {
        var requests = 0;
        await using var server = await TestHttpServer.StartAsync(
            context => SendAsync(context, true, Interlocked.Increment(ref requests) == 1 ? 1000 : 0));
        using var client = new RegistryClient(Quick, TimeProvider.System);
        using var session = client.Open(Reference(server), null);
        await using var download = await session.OpenBlobAsync(Layer, 0, Cancellation);

        var fault = (await Assert.ThrowsAsync<FaultException>(() => ReadAsync(download))).Fault;

        Assert.Equal((FaultKind.Unavailable, "registry.unavailable"), (fault.Kind, fault.Code));
        Assert.Equal(1000, download.Position);
        Assert.InRange(server.Seen.Count, 4, 20);
    }

    [Fact]
    public async Task A_stalled_download_is_taken_up_again()
    {
        var requests = 0;
        await using var server = await TestHttpServer.StartAsync(context => SendAsync(
            context, true, Interlocked.Increment(ref requests) == 1 ? 5000 : Blob.Length, stall: requests == 1));
        using var client = new RegistryClient(Quick with { StallTimeout = TimeSpan.FromMilliseconds(300) }, TimeProvider.System);
        using var session = client.Open(Reference(server), null);

        await using var download = await session.OpenBlobAsync(Layer, 0, Cancellation);

        Assert.Equal(Blob, await ReadAsync(download));
        Assert.Equal(["", "bytes=5000-"], server.Seen.Select(request => request["Range"] ?? ""));
    }

    [Fact]
    public async Task A_cancelled_read_ends_and_leaves_the_buffer_alone()
    {
        await using var server = await TestHttpServer.StartAsync(context => SendAsync(context, true, 5000, stall: true));
        using var client = new RegistryClient(Quick, TimeProvider.System);
        using var session = client.Open(Reference(server), null);
        await using var download = await session.OpenBlobAsync(Layer, 0, Cancellation);
        await download.ReadExactlyAsync(new byte[5000], Cancellation);
        using var caller = new CancellationTokenSource();

        var reading = download.ReadAsync(new byte[10], caller.Token).AsTask();
        await caller.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    [Fact]
    public async Task A_blob_of_another_size_than_the_manifest_says_is_refused()
    {
        await using var server = await TestHttpServer.StartAsync(context => SendAsync(context, true, Blob.Length));
        using var client = new RegistryClient(Quick, TimeProvider.System);
        using var session = client.Open(Reference(server), null);

        foreach (var (size, offset) in ((long, long)[])[(10, 0), (1_000_000, 0), (1_000_000, 10)])
        {
            var fault = (await Assert.ThrowsAsync<FaultException>(
                () => session.OpenBlobAsync(Layer with { Size = size }, offset, Cancellation))).Fault;
            Assert.Equal((FaultKind.DataLoss, "registry.size-mismatch"), (fault.Kind, fault.Code));
        }
    }

    [Fact]
    public async Task A_blob_without_announced_length_ends_at_its_size()
    {
        await using var server = await TestHttpServer.StartAsync(async context => await context.Response.Body.WriteAsync(Blob));
        using var client = new RegistryClient(Quick, TimeProvider.System);
        using var session = client.Open(Reference(server), null);

        await using var exact = await session.OpenBlobAsync(Layer, 0, Cancellation);
        Assert.Equal(Blob, await ReadAsync(exact));
        await using var shorter = await session.OpenBlobAsync(Layer with { Size = 10 }, 0, Cancellation);
        Assert.Equal("registry.size-mismatch", (await Assert.ThrowsAsync<FaultException>(() => ReadAsync(shorter))).Fault.Code);
    }

    [Fact]
    public async Task An_offset_behind_the_end_is_out_of_range()
    {
        using var client = new RegistryClient(Quick, TimeProvider.System);
        using var session = client.Open(ImageReference.Parse("localhost:1/a/b"), null);

        foreach (var offset in (long[])[-1, Layer.Size, Layer.Size + 1])
        {
            var fault = (await Assert.ThrowsAsync<FaultException>(() => session.OpenBlobAsync(Layer, offset, Cancellation))).Fault;
            Assert.Equal(FaultKind.OutOfRange, fault.Kind);
        }
    }

    private static ImageReference Reference(TestHttpServer server) => ImageReference.Parse($"{server.Host}/a/b:x");

    private static async Task<byte[]> ReadAsync(Stream stream)
    {
        using var bytes = new MemoryStream();
        await stream.CopyToAsync(bytes, Cancellation);
        return bytes.ToArray();
    }

    /// <summary>Announces all that was asked for, sends at most <paramref name="limit"/> bytes, and cuts or stalls.</summary>
    private static async Task SendAsync(HttpContext context, bool ranges, int limit, bool stall = false)
    {
        var from = 0;
        if (ranges && context.Request.Headers.Range.ToString() is { Length: > 0 } range)
        {
            from = int.Parse(range["bytes=".Length..^1], CultureInfo.InvariantCulture);
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = $"bytes {from}-{Blob.Length - 1}/{Blob.Length}";
        }
        context.Response.ContentLength = Blob.Length - from;
        var count = Math.Min(limit, Blob.Length - from);
        await context.Response.Body.WriteAsync(Blob.AsMemory(from, count));
        await context.Response.Body.FlushAsync();
        if (stall) await Task.Delay(Timeout.Infinite, context.RequestAborted);
        // An answer that is too short makes Kestrel close the connection once it is sent; Abort would take bytes with it.
    }
}
