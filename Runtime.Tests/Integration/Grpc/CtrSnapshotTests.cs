using Runtime.Linux.Mounts;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Grpc;

/// <summary>Debian's ctr against the snapshot service, over the real snapshot store.</summary>
[Collection(KernelCollection.Name)]
public sealed class CtrSnapshotTests : IAsyncLifetime
{
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

    [Theory]
    [InlineData("overlayfs")]
    [InlineData("native")]
    public async Task Layers_are_prepared_mounted_committed_listed_and_removed(string snapshotter)
    {
        var place = Directory.CreateDirectory(_world["place"]).FullName;
        await CtrAsync(snapshotter, "prepare", "one");
        await MountedAsync(await CtrAsync(snapshotter, "mounts", place, "one"), place, () => File.WriteAllText($"{place}/file", "first"));
        await CtrAsync(snapshotter, "commit", "base", "one");
        var mounts = await CtrAsync(snapshotter, "prepare", "--target", place, "two", "base");
        await MountedAsync(mounts, place, () =>
        {
            Assert.Equal("first", File.ReadAllText($"{place}/file"));
            File.WriteAllText($"{place}/more", new string('x', 10_000));
        });
        await CtrAsync(snapshotter, "view", "look", "base");

        Assert.Matches("(?m)^base +Committed", await CtrAsync(snapshotter, "ls"));
        Assert.Matches("(?m)^two +base +Active", await CtrAsync(snapshotter, "ls"));
        Assert.Matches("(?m)^look +base +View", await CtrAsync(snapshotter, "ls"));
        Assert.Matches(@"base\n.*\\_ (look|two)\n.*\\_ (look|two)", await CtrAsync(snapshotter, "tree"));
        Assert.Contains("\"Kind\": \"Committed\"", await CtrAsync(snapshotter, "info", "base"), StringComparison.Ordinal);
        Assert.Matches(@"two +\d", await CtrAsync(snapshotter, "usage", "two"));
        await CtrAsync(snapshotter, "label", "base", "colour=red", "shape=round");
        Assert.Contains("\"colour\": \"red\"", await CtrAsync(snapshotter, "info", "base"), StringComparison.Ordinal);
        await CtrAsync(snapshotter, "label", "base", "colour=");
        Assert.DoesNotContain("colour", await CtrAsync(snapshotter, "info", "base"), StringComparison.Ordinal);
        Assert.Contains("\"shape\": \"round\"", await CtrAsync(snapshotter, "info", "base"), StringComparison.Ordinal);

        await CtrAsync(snapshotter, "rm", "two", "look");
        await CtrAsync(snapshotter, "rm", "base");
        Assert.Equal(["KEY PARENT KIND"], Lines(await CtrAsync(snapshotter, "ls")));
    }

    [Fact]
    public async Task Refusals_are_those_of_containerd()
    {
        await CtrAsync("overlayfs", "prepare", "one");
        Assert.Contains("already exists", await RefusedAsync("prepare", "one"), StringComparison.Ordinal);
        Assert.Contains("does not exist", await RefusedAsync("prepare", "two", "nobody"), StringComparison.Ordinal);
        await CtrAsync("overlayfs", "commit", "base", "one");
        await CtrAsync("overlayfs", "prepare", "two", "base");
        Assert.Contains("cannot remove snapshot with child", await RefusedAsync("rm", "base"), StringComparison.Ordinal);
        Assert.Contains("not found", await RefusedAsync("info", "nobody"), StringComparison.Ordinal);
        var unknown = await Assert.ThrowsAsync<InvalidOperationException>(() => CtrAsync("zfs", "ls"));
        Assert.Contains("snapshotter not loaded: zfs", unknown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Namespaces_and_snapshotters_keep_their_snapshots_apart()
    {
        await CtrAsync("overlayfs", "prepare", "one");
        await CtrAsync("native", "prepare", "one");
        await Tool.RunAsync("ctr", "--address", _server.Socket, "-n", "other", "snapshots", "prepare", "one");
        await CtrAsync("native", "rm", "one");

        Assert.Equal(2, Lines(await CtrAsync("overlayfs", "ls")).Length);
        Assert.Single(Lines(await CtrAsync("native", "ls")));
    }

    private async Task MountedAsync(string commands, string place, Action look)
    {
        await Tool.RunAsync("sh", "-euc", commands);
        try
        {
            look();
        }
        finally
        {
            Mounter.UnmountAll(place);
        }
    }

    private async Task<string> RefusedAsync(params string[] arguments) =>
        (await Assert.ThrowsAsync<InvalidOperationException>(() => CtrAsync("overlayfs", arguments))).Message;

    private Task<string> CtrAsync(string snapshotter, params string[] arguments) =>
        Tool.RunAsync("ctr", ["--address", _server.Socket, "snapshots", "--snapshotter", snapshotter, .. arguments]);

    private static string[] Lines(string text) =>
        [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))];
}
