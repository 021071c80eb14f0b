using System.Collections.Immutable;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Snapshots;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Linux.Mounts;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Snapshots;

/// <summary>Both snapshotters through their actors, with real mounts.</summary>
[Collection(KernelCollection.Name)]
public sealed class SnapshotTests
{
    private const string Overlay = OverlaySnapshots.DriverName;
    private static readonly ImmutableSortedDictionary<string, string> NoLabels = ImmutableSortedDictionary<string, string>.Empty;

    [Theory]
    [InlineData(Overlay)]
    [InlineData(NativeSnapshots.DriverName)]
    public async Task A_committed_snapshot_is_what_the_next_one_starts_with(string snapshotter)
    {
        await using var world = await ImageWorld.NewAsync();
        await WriteAsync(world, snapshotter, "one", "", root =>
        {
            File.WriteAllText($"{root}/a", "first");
            Directory.CreateDirectory($"{root}/d");
            File.CreateSymbolicLink($"{root}/d/link", "../a");
            Inodes.ChangeOwner($"{root}/d", 1000, 1001);
            Inodes.ChangeMode($"{root}/d", 0b001_111_000_000);
            Inodes.MakeDevice($"{root}/d/null", FileConstants.S_IFCHR | 0b110_110_110, 1, 3);
            Xattrs.Set($"{root}/a", "trusted.test", "x"u8);
        });
        await CommitAsync(world, snapshotter, "one", "base");
        await WriteAsync(world, snapshotter, "two", "base", root =>
        {
            Assert.Equal("first", File.ReadAllText($"{root}/d/link"));
            var status = FileStatus.Of($"{root}/d");
            Assert.Equal((1000u, 1001u, 0b001_111_000_000u), (status.Uid, status.Gid, status.Permissions));
            Assert.True(FileStatus.Of($"{root}/d/null") is { IsCharDevice: true, DeviceMajor: 1, DeviceMinor: 3 });
            Assert.Equal("x"u8.ToArray(), Xattrs.Get($"{root}/a", "trusted.test"));
            File.WriteAllText($"{root}/a", "second");
            File.Delete($"{root}/d/null");
        });
        await CommitAsync(world, snapshotter, "two", "top");

        await SeeAsync(world, snapshotter, "base", root => Assert.Equal("first", File.ReadAllText($"{root}/a")));
        await SeeAsync(world, snapshotter, "top", root =>
        {
            Assert.Equal("second", File.ReadAllText($"{root}/a"));
            Assert.False(File.Exists($"{root}/d/null"));
            Assert.ThrowsAny<IOException>(() => File.WriteAllText($"{root}/b", "x"));
        });
        var usage = await world.Requests.SendAsync<SnapshotUsage>(
            new GetSnapshotUsage(ImageWorld.Space, "top", snapshotter), CancellationToken.None);
        Assert.InRange(usage.Bytes, 1, 1 << 20);
    }

    [Fact]
    public async Task Keys_and_names_are_taken_once_and_parents_stay_while_they_have_children()
    {
        await using var world = await ImageWorld.NewAsync();
        await PrepareAsync(world, "one", "");
        Assert.Equal("snapshot.exists", (await RefusedAsync(() => PrepareAsync(world, "one", "")))?.Code);
        Assert.Equal(FaultKind.NotFound, (await RefusedAsync(() => PrepareAsync(world, "two", "nobody")))?.Kind);
        Assert.Equal("snapshot.parent-not-committed", (await RefusedAsync(() => PrepareAsync(world, "two", "one")))?.Code);
        await CommitAsync(world, Overlay, "one", "base");
        Assert.Equal(FaultKind.NotFound, (await RefusedAsync(() => CommitAsync(world, Overlay, "one", "other")))?.Kind);
        await PrepareAsync(world, "two", "base");
        Assert.Equal(FaultKind.AlreadyExists, (await RefusedAsync(() => CommitAsync(world, Overlay, "two", "base")))?.Kind);
        Assert.Equal("snapshot.has-children", (await RefusedAsync(() => RemoveAsync(world, "base")))?.Code);
        Assert.Equal("snapshot.wrong-kind", (await RefusedAsync(() => MountsAsync(world, "base")))?.Code);
        Assert.Null(await RefusedAsync(() => RemoveAsync(world, "two")));
        Assert.Null(await RefusedAsync(() => RemoveAsync(world, "base")));
        Assert.Equal(FaultKind.NotFound, (await RefusedAsync(() => RemoveAsync(world, "base")))?.Kind);
    }

    [Fact]
    public async Task When_many_prepare_on_a_parent_while_it_is_removed_either_they_or_the_removal_win()
    {
        await using var world = await ImageWorld.NewAsync();
        for (var round = 0; round < 10; round++)
        {
            var (seed, name) = ($"seed-{round}", $"base-{round}");
            await PrepareAsync(world, seed, "");
            await CommitAsync(world, Overlay, seed, name);
            var first = RefusedAsync(() => round % 2 == 0 ? PrepareAsync(world, $"{name}-0", name) : Task.CompletedTask);
            var removal = RefusedAsync(() => RemoveAsync(world, name));
            var children = Enumerable.Range(1, 3).Select(child => RefusedAsync(() => PrepareAsync(world, $"{name}-{child}", name))).ToList();

            await Task.WhenAll(children);
            await first;
            var made = world.Images.SnapshotViews.In(ImageWorld.Space).Values.Count(view => view.Parent == name);

            Assert.Equal(await removal is null, made == 0);
        }
    }

    [Fact]
    public async Task Layers_written_apart_are_stacked_by_their_commit()
    {
        await using var world = await ImageWorld.NewAsync();
        await WriteAsync(world, Overlay, "lower", "", root => File.WriteAllText($"{root}/a", "a"));
        await WriteAsync(world, Overlay, "upper", "", root => File.WriteAllText($"{root}/b", "b"));
        await CommitAsync(world, Overlay, "lower", "base");
        await CommitAsync(world, Overlay, "upper", "top", "base");

        await SeeAsync(world, Overlay, "top", root => Assert.Equal("ab", File.ReadAllText($"{root}/a") + File.ReadAllText($"{root}/b")));
        await PrepareAsync(world, "x", "top");
        Assert.Equal("snapshot.has-parent", (await RefusedAsync(() => CommitAsync(world, Overlay, "x", "y", "base")))?.Code);
    }

    [Fact]
    public async Task Snapshots_survive_a_restart_and_directories_that_nobody_knows_do_not()
    {
        await using var world = await ImageWorld.NewAsync();
        await WriteAsync(world, Overlay, "one", "", root => File.WriteAllText($"{root}/a", "a"));
        await CommitAsync(world, Overlay, "one", "base");
        var before = await PrepareAsync(world, "container", "base");
        await world.StopAsync();
        var snapshots = Path.Combine(world.Layout.Snapshotter(Overlay), "snapshots");
        Directory.CreateDirectory($"{snapshots}/77/fs/etc");
        Directory.CreateDirectory($"{snapshots}/new-78/fs");

        await world.StartAsync();
        var after = await MountsAsync(world, "container");

        Assert.Equal(before.Mounts[0].Options.AsEnumerable(), after.Mounts[0].Options);
        await ImageWorld.UntilAsync(() => !Directory.Exists($"{snapshots}/77"), "the orphan is removed");
        Assert.False(Directory.Exists($"{snapshots}/new-78"));
        var other = await world.Requests.SendAsync<SnapshotMounts>(
            new PrepareSnapshot(NamespaceName.Parse("other"), "container", Overlay, "", NoLabels), CancellationToken.None);
        Assert.Equal($"{snapshots}/78/fs", other.Mounts[0].Source);
    }

    [Fact]
    public async Task Mounts_are_those_of_containerd()
    {
        await using var world = await ImageWorld.NewAsync();
        var root = Path.Combine(world.Layout.Snapshotter(Overlay), "snapshots");
        var alone = Assert.Single((await PrepareAsync(world, "one", "")).Mounts);
        Assert.Equal(("bind", $"{root}/1/fs"), (alone.Type, alone.Source));
        Assert.Equal(["rw", "rbind"], alone.Options);
        await CommitAsync(world, Overlay, "one", "base");
        var view = await world.Requests.SendAsync<SnapshotMounts>(
            new ViewSnapshot(ImageWorld.Space, "view", Overlay, "base", NoLabels), CancellationToken.None);
        Assert.Equal(("bind", $"{root}/1/fs"), (view.Mounts[0].Type, view.Mounts[0].Source));
        Assert.Equal(["ro", "rbind"], view.Mounts[0].Options);
        var active = Assert.Single((await PrepareAsync(world, "two", "base")).Mounts);
        Assert.Equal(("overlay", "overlay"), (active.Type, active.Source));
        Assert.Equal(["index=off", $"workdir={root}/3/work", $"upperdir={root}/3/fs", $"lowerdir={root}/1/fs"], active.Options);
        await CommitAsync(world, Overlay, "two", "top");
        var third = Assert.Single((await PrepareAsync(world, "three", "top")).Mounts);
        Assert.Contains($"lowerdir={root}/3/fs:{root}/1/fs", third.Options);
    }

    private static Task<SnapshotMounts> PrepareAsync(ImageWorld world, string key, string parent, string snapshotter = Overlay) =>
        world.Requests.SendAsync<SnapshotMounts>(
            new PrepareSnapshot(ImageWorld.Space, key, snapshotter, parent, NoLabels), CancellationToken.None);

    private static Task<SnapshotMounts> MountsAsync(ImageWorld world, string key) => world.Requests.SendAsync<SnapshotMounts>(
        new GetSnapshotMounts(ImageWorld.Space, key, Overlay), CancellationToken.None);

    private static Task<SnapshotCommitted> CommitAsync(ImageWorld world, string snapshotter, string key, string name, string parent = "") =>
        world.Requests.SendAsync<SnapshotCommitted>(
            new CommitSnapshot(ImageWorld.Space, key, snapshotter, name, NoLabels) { Parent = parent }, CancellationToken.None);

    private static Task<SnapshotRemoved> RemoveAsync(ImageWorld world, string key) => world.Requests.SendAsync<SnapshotRemoved>(
        new RemoveSnapshot(ImageWorld.Space, key, Overlay), CancellationToken.None);

    private static async Task WriteAsync(ImageWorld world, string snapshotter, string key, string parent, Action<string> write) =>
        Inside(world, await PrepareAsync(world, key, parent, snapshotter), write);

    private static async Task SeeAsync(ImageWorld world, string snapshotter, string name, Action<string> look) =>
        Inside(
            world,
            await world.Requests.SendAsync<SnapshotMounts>(
                new ViewSnapshot(ImageWorld.Space, $"see {name}", snapshotter, name, NoLabels), CancellationToken.None),
            look);

    private static void Inside(ImageWorld world, SnapshotMounts mounts, Action<string> act)
    {
        var at = Directory.CreateDirectory(world["mounted"]).FullName;
        Mounter.MountAll(mounts.Mounts, at);
        try
        {
            act(at);
        }
        finally
        {
            Mounter.UnmountAll(at);
        }
    }

    /// <summary>Null when it worked.</summary>
    private static async Task<RuntimeFault?> RefusedAsync(Func<Task> act)
    {
        try
        {
            await act();
            return null;
        }
        catch (FaultException refused)
        {
            return refused.Fault;
        }
    }
}
