using System.Formats.Tar;
using Runtime.Actors.Pulls;
using Runtime.Actors.Snapshots;
using Runtime.Faults;
using Runtime.Oci.Images;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Pulls;

/// <summary>Pulls from a real registry into real snapshots.</summary>
[Collection(KernelCollection.Name)]
public sealed class PullTests : IAsyncLifetime
{
    private readonly TempDirectory _directory = new();
    private RegistryFixture _registry = null!;
    private RegistryProxy _proxy = null!;

    public async ValueTask InitializeAsync()
    {
        _registry = await RegistryFixture.StartAsync();
        _proxy = new RegistryProxy(_registry);
    }

    public async ValueTask DisposeAsync()
    {
        _proxy.Dispose();
        await _registry.DisposeAsync();
        _directory.Dispose();
    }

    [Theory]
    [InlineData("overlayfs")]
    [InlineData("native")]
    public async Task A_pulled_image_is_found_by_all_its_names_and_shows_its_layers_with_whiteouts(string snapshotter)
    {
        var image = await TestImages.BusyBoxAsync(
            _directory["layout"], LayerCompression.Gzip, null,
            TestImages.Files(LayerCompression.Zstd, ("etc/motd", "hello\n"), ("opt/gone", "x"), ("srv/old/file", "x")),
            TestImages.Files(LayerCompression.None, ("opt/.wh.gone", ""), ("srv/old/.wh..wh..opq", ""), ("srv/old/new", "y"), ("etc/motd", "bye\n")));
        await _registry.PushAsync(image, "library/busybox:1");
        await using var world = await new ImageWorld { Options = new() { SyncContent = false, Snapshotter = snapshotter } }.StartAsync();
        var reference = $"{_proxy.Host}/library/busybox:1";

        var pulled = await world.PullAsync(reference);

        Assert.Equal(new ImagePulled(reference, image.Id.ToString(), image.Target.Digest.ToString()), pulled);
        var found = Assert.Single(world.Images.Catalog.List(ImageWorld.Space));
        Assert.Equal(image.Id.ToString(), found.Id);
        Assert.Equal([reference], found.RepoTags);
        Assert.Equal([$"{_proxy.Host}/library/busybox@{image.Target.Digest}"], found.RepoDigests);
        Assert.Equal(image.Manifest.ContentSize + image.Target.Size, found.Size);
        string[] others = [reference, found.RepoDigests[0], found.Id, found.Id["sha256:".Length..], found.Id[7..20], $"{reference}@{image.Target.Digest}"];
        foreach (var name in others)
            Assert.Equal(found.Id, world.Images.Catalog.Find(ImageWorld.Space, name)?.Id);
        await world.LookAsync(found.ChainId, root =>
        {
            Assert.Equal("bye\n", File.ReadAllText(Path.Combine(root, "etc/motd")));
            Assert.True(File.Exists(Path.Combine(root, "etc/passwd")));
            Assert.False(File.Exists(Path.Combine(root, "opt/gone")));
            Assert.False(File.Exists(Path.Combine(root, "srv/old/file")));
            Assert.Equal("y", File.ReadAllText(Path.Combine(root, "srv/old/new")));
            Assert.Equal((UnixFileMode)0b001_111_111_111, File.GetUnixFileMode(Path.Combine(root, "tmp")));
        });
        Assert.Empty(world.Images.Content.Statuses());
        Assert.DoesNotContain(world.Images.SnapshotViews.In(ImageWorld.Space).Values, view => view.Kind is not SnapshotKind.Committed);
    }

    [Fact]
    public async Task The_images_that_the_node_names_are_pinned_and_a_config_is_kept_as_it_came()
    {
        var image = await TestImages.BusyBoxAsync(_directory["layout"]);
        await _registry.PushAsync(image, "pause:1");
        await _registry.PushAsync(image, "other:1");
        await using var world = await new ImageWorld
        {
            Options = new() { SyncContent = false, PinnedImages = [$"{_registry.Host}/pause:1"] },
        }.StartAsync();

        await world.PullAsync($"{_registry.Host}/other:1");
        Assert.False(Assert.Single(world.Images.Catalog.List(ImageWorld.Space)).Pinned);
        await world.PullAsync($"{_registry.Host}/pause:1");

        var found = Assert.Single(world.Images.Catalog.List(ImageWorld.Space));
        Assert.True(found.Pinned);
        Assert.Equal(found.Id, Digest.Of(world.Images.Catalog.ReadConfig(found.Id)).ToString());
        Assert.Null(world.Images.Catalog.ReadConfig($"sha256:{new string('0', 64)}"));
    }

    [Fact]
    public async Task A_layer_that_leaves_out_its_directories_keeps_their_attributes_from_the_layers_below()
    {
        var image = await TestImages.BusyBoxAsync(
            _directory["layout"], LayerCompression.Gzip, null, TestImages.Files(LayerCompression.Gzip, ("tmp/there", "x")));
        await _registry.PushAsync(image, "busybox:1");
        await using var world = await ImageWorld.NewAsync();

        await world.PullAsync($"{_registry.Host}/busybox:1");

        var found = Assert.Single(world.Images.Catalog.List(ImageWorld.Space));
        await world.LookAsync(found.ChainId, root =>
        {
            Assert.True(File.Exists(Path.Combine(root, "tmp/there")));
            Assert.Equal((UnixFileMode)0b001_111_111_111, File.GetUnixFileMode(Path.Combine(root, "tmp")));
        });
    }

    [Fact]
    public async Task Callers_of_one_reference_share_a_pull_and_pulls_of_two_images_share_a_layer()
    {
        var below = Noise("base", 3 << 20);
        var one = await TestImages.BuildAsync(_directory["one"], TestImages.DefaultProcess, below, TestImages.Files(LayerCompression.Gzip, ("one", "1")));
        var two = await TestImages.BuildAsync(_directory["two"], TestImages.DefaultProcess, below, TestImages.Files(LayerCompression.Gzip, ("two", "2")));
        await _registry.PushAsync(one, "one:1");
        await _registry.PushAsync(two, "two:1");
        await using var world = await ImageWorld.NewAsync();

        await Task.WhenAll(
            world.PullAsync($"{_proxy.Host}/one:1"), world.PullAsync($"{_proxy.Host}/one:1"), world.PullAsync($"{_proxy.Host}/two:1"));

        foreach (var layer in one.Manifest.Layers.Concat(two.Manifest.Layers).Select(layer => layer.Digest.ToString()).Distinct())
            Assert.Equal(1, _proxy.BlobRequests(layer));
        Assert.Equal(2, world.Images.Catalog.List(ImageWorld.Space).Length);
        Assert.Equal(3, world.Images.SnapshotViews.In(ImageWorld.Space).Count);
    }

    [Fact]
    public async Task Pulling_again_asks_the_registry_and_fetches_nothing()
    {
        var image = await TestImages.BusyBoxAsync(_directory["layout"]);
        await _registry.PushAsync(image, "busybox:1");
        await using var world = await ImageWorld.NewAsync();
        await world.PullAsync($"{_proxy.Host}/busybox:1");
        _proxy.Requests.Clear();

        await world.PullAsync($"{_proxy.Host}/busybox:1");

        var request = Assert.Single(_proxy.Requests);
        Assert.Equal("HEAD", request.Method);
    }

    [Fact]
    public async Task A_pull_that_was_killed_is_taken_up_after_a_restart_where_it_stopped()
    {
        var image = await TestImages.BuildAsync(_directory["layout"], TestImages.DefaultProcess, Noise("big", 4 << 20));
        await _registry.PushAsync(image, "big:1");
        var digest = image.Manifest.Layers[0].Digest;
        var never = new TaskCompletionSource();
        _proxy.Tamper = path => path.EndsWith(digest.ToString(), StringComparison.Ordinal) ? new(Hold: (2 << 20, never.Task)) : null;
        await using var world = await ImageWorld.NewAsync();
        var first = world.PullAsync($"{_proxy.Host}/big:1");
        await ImageWorld.UntilAsync(() => world.Images.Content.Statuses().Any(ingest => ingest.Offset >= 1 << 20), "half of the layer");
        Assert.NotEmpty(world.Images.SnapshotViews.In(ImageWorld.Space));

        await world.StopAsync();
        await Assert.ThrowsAsync<FaultException>(() => first);
        var stored = Assert.Single(new Runtime.Actors.Content.ContentStore(world.Layout.Content, false, TimeProvider.System).Statuses()).Offset;
        _proxy.Requests.Clear();
        _proxy.Tamper = _ => null;
        await world.StartAsync();
        await ImageWorld.UntilAsync(() => world.Images.SnapshotViews.In(ImageWorld.Space).Count == 0, "the half unpacked snapshot is removed");
        await world.PullAsync($"{_proxy.Host}/big:1");

        var request = Assert.Single(_proxy.Requests, request => request.Path.EndsWith($"/blobs/{digest}", StringComparison.Ordinal));
        Assert.Equal($"bytes={stored}-", request.Range);
        Assert.Single(world.Images.Catalog.List(ImageWorld.Space));
        Assert.Single(Directory.GetDirectories(Path.Combine(world.Layout.Snapshotter("overlayfs"), "snapshots")));
        never.SetResult();
    }

    [Fact]
    public async Task A_cut_connection_is_resumed_with_a_range()
    {
        var image = await TestImages.BuildAsync(_directory["layout"], TestImages.DefaultProcess, Noise("big", 2 << 20));
        await _registry.PushAsync(image, "big:1");
        var digest = image.Manifest.Layers[0].Digest.ToString();
        var cuts = 0;
        _proxy.Tamper = path => path.EndsWith(digest, StringComparison.Ordinal) && cuts++ < 2 ? new(CutAfter: 500_000) : null;
        await using var world = await ImageWorld.NewAsync();

        await world.PullAsync($"{_proxy.Host}/big:1");

        Assert.Equal(3, _proxy.BlobRequests(digest));
        Assert.Single(world.Images.Catalog.List(ImageWorld.Space));
    }

    [Fact]
    public async Task A_blob_with_another_digest_is_refused_and_nothing_of_it_stays()
    {
        var image = await TestImages.BuildAsync(
            _directory["layout"], TestImages.DefaultProcess, Noise("good", 1 << 20), TestImages.Files(LayerCompression.Gzip, ("bad", "bad")));
        await _registry.PushAsync(image, "bad:1");
        var digest = image.Manifest.Layers[1].Digest.ToString();
        _proxy.Tamper = path => path.EndsWith(digest, StringComparison.Ordinal) ? new(Corrupt: true) : null;
        await using var world = await ImageWorld.NewAsync();

        var refused = await Assert.ThrowsAsync<FaultException>(() => world.PullAsync($"{_proxy.Host}/bad:1"));

        Assert.Equal((FaultKind.DataLoss, "content.digest-mismatch"), (refused.Fault.Kind, refused.Fault.Code));
        Assert.DoesNotContain(world.Images.Content.Statuses(), ingest => ingest.Reference.EndsWith(digest, StringComparison.Ordinal));
        Assert.False(world.Images.Content.Has(Digest.Parse(digest)));
        Assert.Empty(world.Images.ImageNames.In(ImageWorld.Space));
        Assert.DoesNotContain(world.Images.SnapshotViews.In(ImageWorld.Space).Values, view => view.Kind is not SnapshotKind.Committed);
    }

    [Fact]
    public async Task A_layer_with_another_diff_id_is_refused()
    {
        var good = await TestImages.BuildAsync(_directory["good"], TestImages.DefaultProcess, TestImages.Files(LayerCompression.Gzip, ("a", "a")));
        // The manifest's layer is another one than the config's.
        var other = await TestImages.BuildAsync(_directory["other"], TestImages.DefaultProcess, TestImages.Files(LayerCompression.Gzip, ("b", "b")));
        var manifest = good.Manifest with { Layers = other.Manifest.Layers };
        var bytes = manifest.ToBytes();
        var target = Descriptor.Of(MediaTypes.OciManifest, bytes);
        File.WriteAllBytes(good.BlobPath(target.Digest), bytes);
        File.Copy(other.BlobPath(other.Manifest.Layers[0].Digest), good.BlobPath(other.Manifest.Layers[0].Digest));
        await using var world = await ImageWorld.NewAsync();
        using var tar = new MemoryStream();
        File.WriteAllBytes(Path.Combine(good.Layout, "index.json"), new ImageIndex { Manifests = [target] }.ToBytes());
        TarFile.CreateFromDirectory(good.Layout, tar, includeBaseDirectory: false);
        tar.Position = 0;

        var refused = await Assert.ThrowsAsync<FaultException>(() =>
            world.Images.Archives.ImportAsync(ImageWorld.Space, tar, "example.com/x:1", CancellationToken.None));

        Assert.Equal((FaultKind.DataLoss, "layer.diff-id-mismatch"), (refused.Fault.Kind, refused.Fault.Code));
        Assert.Empty(world.Images.ImageNames.In(ImageWorld.Space));
        Assert.Empty(world.Images.SnapshotViews.In(ImageWorld.Space));
    }

    [Fact]
    public async Task A_caller_that_gives_up_ends_the_pull_only_when_nobody_else_waits()
    {
        var image = await TestImages.BuildAsync(_directory["layout"], TestImages.DefaultProcess, Noise("big", 1 << 20));
        await _registry.PushAsync(image, "big:1");
        var going = new TaskCompletionSource();
        _proxy.Tamper = _ => new(Hold: (300_000, going.Task));
        await using var world = await ImageWorld.NewAsync();
        var reference = $"{_proxy.Host}/big:1";
        using var patience = new CancellationTokenSource();
        var impatient = world.PullUntilAsync(reference, null, patience.Token);
        var patient = world.PullAsync(reference);
        await ImageWorld.UntilAsync(() => world.Images.Pulls.Find(ImageWorld.Space, reference) is { Status: "pulling" }, "the pull shows");

        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient);
        world.Tell(new CancelPull(ImageWorld.Space, reference));
        going.SetResult();

        Assert.Equal(image.Id.ToString(), (await patient).ImageId);
        Assert.Null(world.Images.Pulls.Find(ImageWorld.Space, reference));
    }

    [Fact]
    public async Task A_pull_whose_last_caller_gives_up_ends()
    {
        var image = await TestImages.BuildAsync(_directory["layout"], TestImages.DefaultProcess, Noise("big", 1 << 20));
        await _registry.PushAsync(image, "big:1");
        var never = new TaskCompletionSource();
        _proxy.Tamper = _ => new(Hold: (300_000, never.Task));
        await using var world = await ImageWorld.NewAsync();
        var reference = $"{_proxy.Host}/big:1";
        using var patience = new CancellationTokenSource();
        var impatient = world.PullUntilAsync(reference, null, patience.Token);
        await ImageWorld.UntilAsync(() => world.Images.Pulls.Find(ImageWorld.Space, reference) is { Status: "pulling" }, "the pull shows");

        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient);
        world.Tell(new CancelPull(ImageWorld.Space, reference));

        await ImageWorld.UntilAsync(() => world.Images.Pulls.Find(ImageWorld.Space, reference) is null, "the pull ends");
        Assert.Empty(world.Images.ImageNames.In(ImageWorld.Space));
        await ImageWorld.UntilAsync(() => world.Images.SnapshotViews.In(ImageWorld.Space).Count == 0, "nothing half unpacked stays");
        _proxy.Tamper = _ => null;
        await world.PullAsync(reference);
        never.SetResult();
    }

    [Fact]
    public async Task Credentials_are_checked_even_when_everything_is_here()
    {
        await using var registry = await RegistryFixture.StartAsync(withPassword: true);
        var image = await TestImages.BusyBoxAsync(_directory["layout"]);
        var reference = await registry.PushAsync(image, "secret:1");
        await using var world = await ImageWorld.NewAsync();
        var right = new RegistryAuth(RegistryFixture.User, RegistryFixture.Password, "", "", "");

        await world.PullAsync(reference, right);
        var refused = await Assert.ThrowsAsync<FaultException>(() => world.PullAsync(reference, right with { Password = "wrong" }));

        Assert.Equal(FaultKind.Unauthenticated, refused.Fault.Kind);
        await world.PullAsync(reference, right);
    }

    [Fact]
    public async Task No_more_layers_come_in_at_a_time_than_the_node_allows()
    {
        const int Allowed = 2;
        var image = await TestImages.BuildAsync(
            _directory["layout"], TestImages.DefaultProcess, [.. Enumerable.Range(0, 4).Select(layer => Noise($"layer{layer}", 1 << 16))]);
        await _registry.PushAsync(image, "many:1");
        var layers = image.Manifest.Layers.Select(layer => layer.Digest.ToString()).ToArray();
        var gates = layers.Select(_ => new TaskCompletionSource()).ToArray();
        var begun = 0;
        _proxy.Tamper = path => layers.Any(layer => path.EndsWith(layer, StringComparison.Ordinal))
            ? new(Hold: (0, gates[Interlocked.Increment(ref begun) - 1].Task))
            : null;
        await using var world = await new ImageWorld { Options = new() { SyncContent = false, MaxConcurrentDownloads = Allowed } }.StartAsync();

        var pull = world.PullAsync($"{_proxy.Host}/many:1");
        for (var ended = 0; ended < layers.Length; ended++)
        {
            var expected = Math.Min(layers.Length, ended + Allowed);
            await Eventually.True(() => begun >= expected, TimeSpan.FromSeconds(20), () => $"{begun} of {layers.Length} layers have begun");
            Assert.Equal(expected, begun);
            gates[ended].SetResult();
        }

        await pull;
    }

    [Fact]
    public async Task A_pull_that_brings_nothing_for_the_timeout_is_given_up()
    {
        var image = await TestImages.BuildAsync(_directory["layout"], TestImages.DefaultProcess, Noise("big", 1 << 20));
        await _registry.PushAsync(image, "big:1");
        var never = new TaskCompletionSource();
        _proxy.Tamper = _ => new(Hold: (0, never.Task));
        await using var world = await new ImageWorld
        {
            Options = new() { SyncContent = false, PullProgressTimeout = TimeSpan.FromMilliseconds(500) },
        }.StartAsync();

        var refused = await Assert.ThrowsAsync<FaultException>(() => world.PullAsync($"{_proxy.Host}/big:1"));

        Assert.Equal((FaultKind.DeadlineExceeded, "pull.stalled"), (refused.Fault.Kind, refused.Fault.Code));
        never.SetResult();
    }

    [Fact]
    public async Task Removing_an_image_takes_its_names_content_and_snapshots_but_nothing_that_others_need()
    {
        var below = TestImages.Files(LayerCompression.Gzip, ("base", "base"));
        var one = await TestImages.BuildAsync(_directory["one"], TestImages.DefaultProcess, below, TestImages.Files(LayerCompression.Gzip, ("one", "1")));
        var two = await TestImages.BuildAsync(_directory["two"], TestImages.DefaultProcess, below, TestImages.Files(LayerCompression.Gzip, ("two", "2")));
        await _registry.PushAsync(one, "one:1");
        await _registry.PushAsync(two, "two:1");
        await using var world = await ImageWorld.NewAsync();
        await world.PullAsync($"{_registry.Host}/one:1");
        await world.PullAsync($"{_registry.Host}/two:1");

        await world.Images.Catalog.RemoveAsync(ImageWorld.Space, one.Id.ToString(), CancellationToken.None);
        await world.Images.Catalog.RemoveAsync(ImageWorld.Space, "never-was", CancellationToken.None);

        var left = Assert.Single(world.Images.Catalog.List(ImageWorld.Space));
        Assert.Equal(two.Id.ToString(), left.Id);
        Assert.Equal(3, world.Images.ImageNames.In(ImageWorld.Space).Count);
        Assert.False(world.Images.Content.Has(one.Target.Digest));
        Assert.False(world.Images.Content.Has(one.Manifest.Layers[1].Digest));
        Assert.True(world.Images.Content.Has(one.Manifest.Layers[0].Digest));
        Assert.Equal(4, world.Images.Content.Walk().Count());
        Assert.Equal(4, world.Images.ContentViews.In(ImageWorld.Space).Count);
        Assert.Equal(2, world.Images.SnapshotViews.In(ImageWorld.Space).Count);
        await world.LookAsync(left.ChainId, root => Assert.True(File.Exists(Path.Combine(root, "base"))));

        await world.Images.Catalog.RemoveAsync(ImageWorld.Space, $"{_registry.Host}/two:1", CancellationToken.None);
        Assert.Empty(world.Images.Content.Walk());
        Assert.Empty(world.Images.SnapshotViews.In(ImageWorld.Space));
        var snapshots = Path.Combine(world.Layout.Snapshotter("overlayfs"), "snapshots");
        await ImageWorld.UntilAsync(() => Directory.GetDirectories(snapshots).Length == 0, "directories are removed");
    }

    [Fact]
    public async Task An_image_in_use_loses_its_names_and_keeps_its_snapshots()
    {
        var image = await TestImages.BusyBoxAsync(_directory["layout"]);
        await _registry.PushAsync(image, "busybox:1");
        await using var world = await ImageWorld.NewAsync();
        await world.PullAsync($"{_registry.Host}/busybox:1");
        var found = world.Images.Catalog.Find(ImageWorld.Space, image.Id.ToString())!;
        var mounts = await world.Requests.SendAsync<SnapshotMounts>(
            new PrepareSnapshot(ImageWorld.Space, "container", "overlayfs", found.ChainId, System.Collections.Immutable.ImmutableSortedDictionary<string, string>.Empty),
            CancellationToken.None);

        await world.Images.Catalog.RemoveAsync(ImageWorld.Space, found.Id, CancellationToken.None);

        Assert.Empty(world.Images.Catalog.List(ImageWorld.Space));
        Assert.Equal(2, world.Images.SnapshotViews.In(ImageWorld.Space).Count);
        Assert.Single(mounts.Mounts);
        await world.Requests.SendAsync<SnapshotRemoved>(new RemoveSnapshot(ImageWorld.Space, "container", "overlayfs"), CancellationToken.None);
        var swept = await world.Images.Sweep.CollectAsync(null, CancellationToken.None);
        Assert.Equal(1, swept.Snapshots);
    }

    [Fact]
    public async Task A_full_disk_is_reported_and_leaves_room()
    {
        var disk = Directory.CreateDirectory(_directory["disk"]).FullName;
        global::Runtime.Linux.Mounts.Mounter.Mount(new("tmpfs", "tmpfs", "", ["size=6m"]), disk);
        try
        {
            var image = await TestImages.BuildAsync(_directory["layout"], TestImages.DefaultProcess, Noise("big", 8 << 20));
            await _registry.PushAsync(image, "big:1");
            await using (var world = await new ImageWorld { Root = Path.Combine(disk, "root") }.StartAsync())
            {
                var refused = await Assert.ThrowsAsync<FaultException>(() => world.PullAsync($"{_registry.Host}/big:1"));

                Assert.Equal(FaultKind.ResourceExhausted, refused.Fault.Kind);
                Assert.Empty(world.Images.Content.Statuses());
                Assert.Empty(world.Images.ImageNames.In(ImageWorld.Space));
                await ImageWorld.UntilAsync(
                    () => Directory.GetDirectories(Path.Combine(world.Layout.Snapshotter("overlayfs"), "snapshots")).Length == 0, "the half layer is removed");
            }
        }
        finally
        {
            global::Runtime.Linux.Mounts.Mounter.UnmountAll(disk);
        }
    }

    [Fact]
    public async Task An_index_gives_this_machines_image_and_refuses_other_platforms()
    {
        var image = await TestImages.BusyBoxAsync(_directory["layout"]);
        await PushIndexAsync(image);
        await using var world = await ImageWorld.NewAsync();

        var pulled = await world.PullAsync($"{_registry.Host}/multi:1");

        Assert.NotEqual(image.Target.Digest.ToString(), pulled.Digest);
        Assert.Equal(image.Id.ToString(), pulled.ImageId);
        var refused = await Assert.ThrowsAsync<FaultException>(() => world.Requests.SendAsync<ImagePulled>(
            new PullImage(ImageWorld.Space, $"{_registry.Host}/multi:1", null, "linux/ppc64le"), CancellationToken.None));
        Assert.Equal((FaultKind.NotFound, "image.no-platform"), (refused.Fault.Kind, refused.Fault.Code));
    }

    [Fact]
    public async Task Images_and_their_labels_are_there_after_a_restart()
    {
        var image = await TestImages.BusyBoxAsync(_directory["layout"]);
        await _registry.PushAsync(image, "busybox:1");
        await using var world = await ImageWorld.NewAsync();
        await world.PullAsync($"{_registry.Host}/busybox:1");
        var before = Assert.Single(world.Images.Catalog.List(ImageWorld.Space));

        await world.StopAsync();
        await world.StartAsync();
        await world.PullAsync($"{_registry.Host}/busybox:1"); // the managers answer when they have recovered

        var after = Assert.Single(world.Images.Catalog.List(ImageWorld.Space));
        Assert.Equal(before.RepoTags, after.RepoTags);
        var labels = world.Images.ContentViews.Find(ImageWorld.Space, image.Target.Digest.ToString())!.Labels;
        Assert.Equal(image.Id.ToString(), labels["containerd.io/gc.ref.content.config"]);
        Assert.Equal(image.Manifest.Layers[0].Digest.ToString(), labels["containerd.io/gc.ref.content.l.0"]);
        Assert.Equal("busybox", labels[$"containerd.io/distribution.source.{_registry.Host}"]);
        Assert.Equal(
            after.ChainId, world.Images.ContentViews.Find(ImageWorld.Space, after.Id)!.Labels["containerd.io/gc.ref.snapshot.overlayfs"]);
        await world.LookAsync(after.ChainId, root => Assert.True(File.Exists(Path.Combine(root, "bin/busybox"))));
    }

    /// <summary>A layer of one file that does not compress.</summary>
    private static TestLayer Noise(string name, int bytes) => new(LayerCompression.Gzip, tar =>
    {
        var noise = new byte[bytes];
        new Random(bytes).NextBytes(noise);
        TestImages.WriteFile(tar, name, noise);
    });

    private async Task PushIndexAsync(TestImage image)
    {
        using var http = new HttpClient();
        await _registry.PushAsync(image, "multi:one");
        var index = new ImageIndex { MediaType = MediaTypes.OciIndex, Manifests = [image.Target with { Platform = Platform.Host }] };
        using var body = new ByteArrayContent(index.ToBytes());
        body.Headers.ContentType = new(MediaTypes.OciIndex);
        using var answer = await http.PutAsync(
            new Uri($"http://{_registry.Host}/v2/multi/manifests/1"), body, TestContext.Current.CancellationToken);
        answer.EnsureSuccessStatusCode();
    }
}
