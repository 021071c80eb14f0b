using System.Text;
using Microsoft.Extensions.Time.Testing;
using Runtime.Actors.Content;
using Runtime.Faults;
using Runtime.Oci.Images;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Content;

public sealed class ContentStoreTests : IDisposable
{
    private static readonly byte[] Text = Encoding.UTF8.GetBytes("some content that is long enough to be cut");
    private static readonly Digest TextDigest = Digest.Of(Text);

    private readonly TempDirectory _directory = new();
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task What_is_committed_lies_where_containerd_looks_for_it()
    {
        var store = Open();
        using (var ingest = await OpenAsync(store, "a ref"))
        {
            ingest!.Write(Text);
            Assert.False(store.Has(TextDigest));
            Assert.Equal(TextDigest, ingest.Commit(Text.Length, TextDigest));
        }

        var path = _directory[$"content/blobs/sha256/{TextDigest.Hex}"];
        Assert.Equal(Text, File.ReadAllBytes(path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead, File.GetUnixFileMode(path));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_directory["content/blobs/sha256"]));
        Assert.Equal(new ContentInfo(TextDigest, Text.Length, _clock.GetUtcNow()), Assert.Single(store.Walk()));
        Assert.Empty(store.Statuses());
        Assert.Null(await OpenAsync(store, "another ref"));
    }

    [Fact]
    public async Task An_ingest_is_taken_up_by_another_process_where_it_stopped()
    {
        using (var ingest = await OpenAsync(Open(), "ref")) ingest!.Write(Text.AsSpan(0, 10));
        _clock.Advance(TimeSpan.FromHours(1));

        var store = Open();
        var status = Assert.Single(store.Statuses());
        Assert.Equal(("ref", 10L, (long)Text.Length), (status.Reference, status.Offset, status.Total));
        Assert.Equal(_clock.Start, status.StartedAt);
        using var again = await OpenAsync(store, "ref");
        Assert.Equal(10, again!.Offset);
        var replayed = new byte[100];
        Assert.Equal(10, again.Replay(replayed));
        Assert.Equal(0, again.Replay(replayed));
        Assert.Equal(Text.AsSpan(0, 10), replayed.AsSpan(0, 10));
        again.Write(Text.AsSpan(10));
        Assert.Equal(TextDigest, again.Commit(0, TextDigest));
    }

    [Fact]
    public async Task Without_a_replay_the_hash_is_rebuilt_by_itself()
    {
        using (var ingest = await OpenAsync(Open(), "ref")) ingest!.Write(Text.AsSpan(0, 10));

        using var again = await OpenAsync(Open(), "ref");
        again!.Write(Text.AsSpan(10));

        Assert.Equal(TextDigest, again.Commit(Text.Length, TextDigest));
    }

    [Fact]
    public async Task A_ref_has_one_writer_and_others_wait_or_are_refused()
    {
        var store = Open();
        var first = await OpenAsync(store, "ref");
        var refused = await Assert.ThrowsAsync<FaultException>(
            () => store.OpenIngestAsync("ref", default, 0, wait: false, CancellationToken.None));
        Assert.Equal((FaultKind.Unavailable, "content.locked"), (refused.Fault.Kind, refused.Fault.Code));
        Assert.Equal("content.locked", Assert.Throws<FaultException>(() => store.Abort("ref")).Fault.Code);
        using var patience = new CancellationTokenSource();
        var gone = store.OpenIngestAsync("ref", TextDigest, 0, wait: true, patience.Token);
        var waiting = store.OpenIngestAsync("ref", TextDigest, 0, wait: true, CancellationToken.None);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        Assert.False(waiting.IsCompleted);

        first!.Write(Text);
        first.Commit(0, TextDigest);
        first.Dispose();

        Assert.Null(await waiting);
    }

    [Fact]
    public async Task Wrong_bytes_are_thrown_away()
    {
        var store = Open();
        using (var ingest = await OpenAsync(store, "digest"))
        {
            ingest!.Write(Text.AsSpan(1));
            Assert.Equal("content.digest-mismatch", Assert.Throws<FaultException>(() => ingest.Commit(0, TextDigest)).Fault.Code);
        }
        using (var ingest = await OpenAsync(store, "size"))
        {
            ingest!.Write(Text.AsSpan(1));
            Assert.Equal("content.size-mismatch", Assert.Throws<FaultException>(() => ingest.Commit(Text.Length, TextDigest)).Fault.Code);
        }

        Assert.Empty(store.Walk());
        Assert.Empty(store.Statuses());
    }

    [Fact]
    public async Task A_truncated_ingest_starts_anew_and_gaps_are_refused()
    {
        using var ingest = await OpenAsync(Open(), "ref");
        ingest!.Write("wrong"u8);
        Assert.Equal("content.wrong-offset", Assert.Throws<FaultException>(() => ingest.Truncate(6)).Fault.Code);
        ingest.Truncate(0);
        ingest.Write(Text);

        Assert.Equal(TextDigest, ingest.Commit(Text.Length, TextDigest));
    }

    [Fact]
    public async Task Sha512_is_as_good()
    {
        var digest = Digest.Of(DigestAlgorithm.Sha512, Text);
        var store = Open();

        await store.PutAsync("ref", digest, Text, CancellationToken.None);

        Assert.Equal(Text, store.ReadAll(digest));
        Assert.True(store.Delete(digest));
        Assert.False(store.Delete(digest));
        Assert.Equal("content.not-found", Assert.Throws<FaultException>(() => store.ReadAll(digest)).Fault.Code);
    }

    [Fact]
    public async Task Only_ingests_that_nobody_continues_are_stale()
    {
        var store = Open();
        (await OpenAsync(store, "old"))!.Dispose();
        using var busy = await OpenAsync(store, "busy");
        Directory.CreateDirectory(_directory["content/ingest/torn"]);

        Assert.Equal(2, store.AbortStale(DateTimeOffset.MaxValue));

        Assert.Equal("busy", Assert.Single(store.Statuses()).Reference);
    }

    [Fact]
    public async Task A_sweep_takes_nothing_that_is_in_use_or_was_since_it_began()
    {
        var pins = new ContentPins();
        pins.BeginSweep();
        using (var used = pins.Begin())
        {
            await used.AddAsync("a", CancellationToken.None);
            Assert.Null(pins.TryCollect("a"));
        }
        Assert.Null(pins.TryCollect("a"));
        pins.EndSweep();

        pins.TryCollect("a")!.Dispose();
    }

    [Fact]
    public async Task Who_needs_what_is_being_collected_waits_until_it_is_gone()
    {
        var pins = new ContentPins();
        var collecting = pins.TryCollect("a")!;
        using var wants = pins.Begin();
        var waiting = wants.AddAsync("a", CancellationToken.None);
        Assert.False(waiting.IsCompleted);

        collecting.Dispose();

        await waiting;
        Assert.Null(pins.TryCollect("a"));
    }

    private ContentStore Open() => new(_directory["content"], sync: true, _clock);

    private static Task<ContentIngest?> OpenAsync(ContentStore store, string reference) =>
        store.OpenIngestAsync(reference, TextDigest, Text.Length, wait: false, CancellationToken.None);
}
