using Containerd.Services.Diff.V1;
using Containerd.Services.Snapshots.V1;
using Containerd.Types;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Runtime.Actors.Content;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Linux.Mounts;
using Runtime.Oci.Images;
using Runtime.Tests.Support;
using Xunit;
using SnapshotsClient = Containerd.Services.Snapshots.V1.Snapshots.SnapshotsClient;

namespace Runtime.Tests.Integration.Grpc;

/// <summary>Layers packed out of snapshots and unpacked into others, over gRPC and with real mounts.</summary>
[Collection(KernelCollection.Name)]
public sealed class DiffServiceTests : IAsyncLifetime
{
    private static readonly NamespaceName Space = new("packing");
    private static readonly Metadata Headers = new() { { "containerd-namespace", "packing" } };

    private readonly ImageWorld _world = new();
    private GrpcServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        await _world.StartAsync();
        _server = await GrpcServer.StartAsync(_world.Domain);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _world.DisposeAsync();
    }

    private Diff.DiffClient Differ => new(_server.Channel);

    private SnapshotsClient Store => new(_server.Channel);

    [Theory]
    [InlineData("overlayfs", MediaTypes.OciLayerGzip)]
    [InlineData("overlayfs", MediaTypes.OciLayerZstd)]
    [InlineData("overlayfs", MediaTypes.DockerLayerGzip)]
    [InlineData("native", MediaTypes.OciLayer)]
    [InlineData("native", "")]
    public async Task A_packed_layer_unpacks_to_what_was_packed(string snapshotter, string mediaType)
    {
        await WriteAsync(snapshotter, "one", "", "mkdir d; echo keep > d/keep; echo gone > d/gone; echo old > file");
        await CommitAsync(snapshotter, "base", "one");
        await WriteAsync(snapshotter, "two", "base", "rm d/gone; echo new > file; ln file link");
        var lower = (await Store.ViewAsync(new ViewSnapshotRequest { Snapshotter = snapshotter, Key = "look", Parent = "base" }, Headers)).Mounts;

        var upper = await MountsAsync(snapshotter, "two");
        var packed = (await Differ.DiffAsync(new DiffRequest { Left = { lower }, Right = { upper }, MediaType = mediaType }, Headers)).Diff;
        await PrepareAsync(snapshotter, "three", "base");
        var applied = (await Differ.ApplyAsync(
            new ApplyRequest { Diff = packed, Mounts = { await MountsAsync(snapshotter, "three") }, SyncFs = true }, Headers)).Applied;

        Assert.Equal(mediaType.Length > 0 ? mediaType : MediaTypes.OciLayerGzip, packed.MediaType);
        var label = _world.Images.ContentViews.Find(Space, packed.Digest)!.Labels.GetValueOrDefault("containerd.io/uncompressed");
        Assert.Equal(mediaType is MediaTypes.OciLayer ? null : applied.Digest, label);
        Assert.Equal("d/keep file link|keep|new|2|", await SeeAsync(await MountsAsync(snapshotter, "three"),
            "printf '%s|%s|%s|%s|' \"$(echo d/* file link)\" $(cat d/keep) $(cat link) $(stat -c %h file)"));
    }

    [Fact]
    public async Task A_layer_on_top_of_nothing_holds_everything()
    {
        await WriteAsync("overlayfs", "one", "", "echo x > file");
        var packed = (await Differ.DiffAsync(
            new DiffRequest { Right = { await MountsAsync("overlayfs", "one") }, MediaType = MediaTypes.OciLayer, Labels = { ["a"] = "b" } }, Headers)).Diff;

        Assert.Equal("file\n", await Tool.RunAsync("tar", "-tf", PathOf(packed.Digest)));
        Assert.Equal("b", _world.Images.ContentViews.Find(Space, packed.Digest)!.Labels["a"]);
    }

    [Fact]
    public async Task The_same_changes_are_the_same_content_when_no_time_is_newer_than_allowed()
    {
        var epoch = Timestamp.FromDateTimeOffset(DateTimeOffset.UnixEpoch.AddDays(1));
        var digests = new List<string>();
        foreach (var key in (string[])["one", "two"])
        {
            await WriteAsync("overlayfs", key, "", "mkdir d; echo x > d/file");
            digests.Add((await Differ.DiffAsync(
                new DiffRequest { Right = { await MountsAsync("overlayfs", key) }, SourceDateEpoch = epoch }, Headers)).Diff.Digest);
        }
        Assert.Equal(digests[0], digests[1]);
    }

    [Fact]
    public async Task What_cannot_be_a_layer_is_refused_with_containerds_codes()
    {
        await PrepareAsync("overlayfs", "one", "");
        var mounts = await MountsAsync("overlayfs", "one");
        Assert.Equal(StatusCode.Unimplemented, await StatusAsync(() => Differ.DiffAsync(
            new DiffRequest { Right = { mounts }, MediaType = "application/json" }, Headers).ResponseAsync));
        var missing = new ContentDescriptor { MediaType = MediaTypes.OciLayer, Digest = Digest.OfNothing.ToString() };
        Assert.Equal(StatusCode.NotFound, await StatusAsync(() => Differ.ApplyAsync(
            new ApplyRequest { Diff = missing, Mounts = { mounts } }, Headers).ResponseAsync));
        await StoreAsync("no tar at all, but long enough to be read as the beginning of one"u8.ToArray());
        var garbage = new ContentDescriptor
        {
            MediaType = MediaTypes.OciLayer,
            Digest = Digest.Of("no tar at all, but long enough to be read as the beginning of one"u8).ToString(),
        };
        Assert.Equal(StatusCode.InvalidArgument, await StatusAsync(() => Differ.ApplyAsync(
            new ApplyRequest { Diff = garbage, Mounts = { mounts } }, Headers).ResponseAsync));
        Assert.Empty(Directory.GetDirectories(Path.Combine(_world.Layout.Content, "ingest")));
    }

    [Fact]
    public async Task Content_of_another_namespace_is_not_found()
    {
        await WriteAsync("overlayfs", "one", "", "echo x > file");
        var packed = (await Differ.DiffAsync(new DiffRequest { Right = { await MountsAsync("overlayfs", "one") } }, Headers)).Diff;

        Assert.Equal(StatusCode.NotFound, await StatusAsync(async () => await Differ.ApplyAsync(
            new ApplyRequest { Diff = packed, Mounts = { await MountsAsync("overlayfs", "one") } },
            new Metadata { { "containerd-namespace", "other" } })));
    }

    private async Task StoreAsync(byte[] bytes)
    {
        var digest = Digest.Of(bytes);
        await _world.Images.Content.PutAsync("test", digest, bytes, TestContext.Current.CancellationToken);
        await _world.Requests.SendAsync<ContentAdded>(
            new AddContent(Space, [new(digest.ToString(), bytes.Length, Labels.None)]), TestContext.Current.CancellationToken);
    }

    private string PathOf(string digest) => Path.Combine(_world.Layout.Content, "blobs", "sha256", Digest.Parse(digest).Hex);

    private async Task PrepareAsync(string snapshotter, string key, string parent) => await Store.PrepareAsync(
        new Containerd.Services.Snapshots.V1.PrepareSnapshotRequest { Snapshotter = snapshotter, Key = key, Parent = parent }, Headers);

    private async Task CommitAsync(string snapshotter, string name, string key) => await Store.CommitAsync(
        new CommitSnapshotRequest { Snapshotter = snapshotter, Name = name, Key = key }, Headers);

    private async Task<IEnumerable<Mount>> MountsAsync(string snapshotter, string key) =>
        (await Store.MountsAsync(new MountsRequest { Snapshotter = snapshotter, Key = key }, Headers)).Mounts;

    private async Task WriteAsync(string snapshotter, string key, string parent, string script)
    {
        await PrepareAsync(snapshotter, key, parent);
        await SeeAsync(await MountsAsync(snapshotter, key), script);
    }

    /// <summary>What a script prints inside of mounts.</summary>
    private async Task<string> SeeAsync(IEnumerable<Mount> mounts, string script)
    {
        var place = Directory.CreateDirectory(_world["place"]).FullName;
        Mounter.MountAll([.. mounts.Select(mount => new MountSpec(mount.Type, mount.Source, mount.Target, [.. mount.Options]))], place);
        try
        {
            return await Tool.RunAsync("sh", "-euc", $"cd {place}\n{script}");
        }
        finally
        {
            Mounter.UnmountAll(place);
        }
    }

    private static async Task<StatusCode> StatusAsync(Func<Task> call) => (await Assert.ThrowsAsync<RpcException>(call)).StatusCode;
}
