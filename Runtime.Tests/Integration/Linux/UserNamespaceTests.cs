using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Linux.Mounts;
using Runtime.Linux.Namespaces;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Linux;

[Collection(KernelCollection.Name)]
public sealed class UserNamespaceTests : IDisposable
{
    private static readonly IdRange Ids = new(0, 100_000, 65_536);

    private readonly TempDirectory _place = new();

    public void Dispose()
    {
        Mounter.UnmountTree(_place.Path);
        Assert.Empty(MountTable.Read().Under(_place.Path));
        _place.Dispose();
    }

    [Fact]
    public void Namespaces_made_with_a_user_namespace_belong_to_it_and_outlive_their_maker_as_pins()
    {
        var map = "";
        UserNamespace.Create(Ids, Ids with { Outside = 200_000 }, NamespaceKind.Network | NamespaceKind.Ipc | NamespaceKind.Uts, directory =>
        {
            map = File.ReadAllText($"{directory}/../uid_map") + File.ReadAllText($"{directory}/../gid_map");
            foreach (var kind in new[] { NamespaceKind.User, NamespaceKind.Network, NamespaceKind.Ipc, NamespaceKind.Uts })
                NamespacePin.Keep($"{directory}/{NamespacePin.FileName(kind)}", _place[$"{kind}"]);
        });

        Assert.Equal(["0", "100000", "65536", "0", "200000", "65536"], map.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries));
        var user = NamespacePin.Inode(_place["User"]);
        Assert.NotEqual(NamespacePin.Inode("/proc/self/ns/user"), user);
        Assert.All(["Network", "Ipc", "Uts"], kind => Assert.Equal(user, NamespacePin.OwnerInode(_place[kind])));
        // What the daemon does in there: it has every right over what its child namespaces own.
        NamespacePin.Run(NamespaceKind.Network, _place["Network"], Loopback.Up);
        foreach (var kind in Enum.GetNames<NamespaceKind>().Where(kind => File.Exists(_place[kind]))) NamespacePin.Remove(_place[kind]);
    }

    [Fact]
    public void Making_one_leaves_no_process()
    {
        var before = Children();
        using (var users = UserNamespace.Open(Ids, Ids))
            Assert.NotEqual(NamespacePin.Inode("/proc/self/ns/user"), NamespacePin.Inode(Descriptors.MagicLink(users)));
        Assert.Equal(before, Children());

        static string Children() => string.Join(' ', Directory.GetDirectories("/proc/self/task").Select(task => File.ReadAllText($"{task}/children")));
    }

    [Fact]
    public void An_overlay_shows_mapped_owners_of_layers_that_stay_as_they_are()
    {
        foreach (var name in new[] { "layers/1/fs", "layers/2/fs", "layers/2/work", "merged" }) Directory.CreateDirectory(_place[name]);
        File.WriteAllText(_place["layers/1/fs/own"], "x");
        File.WriteAllText(_place["layers/1/fs/alice"], "x");
        Inodes.ChangeOwner(_place["layers/1/fs/alice"], 1000, 1001);
        Mounter.Mount(new MountSpec("overlay", "overlay", "",
        [
            $"lowerdir={_place["layers/1/fs"]}", $"upperdir={_place["layers/2/fs"]}", $"workdir={_place["layers/2/work"]}",
            "uidmap=0:100000:65536", "gidmap=0:200000:65536",
        ]), _place["merged"]);

        Assert.Equal((100_000u, 200_000u), Owner(_place["merged"]));
        Assert.Equal((100_000u, 200_000u), Owner(_place["merged/own"]));
        Assert.Equal((101_000u, 201_001u), Owner(_place["merged/alice"]));
        File.AppendAllText(_place["merged/alice"], "y");
        Assert.Equal((101_000u, 201_001u), Owner(_place["layers/2/fs/alice"]));
        Assert.Equal((1000u, 1001u), Owner(_place["layers/1/fs/alice"]));
        Assert.False(Directory.Exists(_place["merged.layers"]));
        Assert.Equal(_place["merged"], Assert.Single(MountTable.Read().Under(_place.Path)).MountPoint);
    }

    [Fact]
    public void A_bind_shows_mapped_owners_read_only()
    {
        Directory.CreateDirectory(_place["source"]);
        Directory.CreateDirectory(_place["target"]);
        File.WriteAllText(_place["source/file"], "x");
        Mounter.Mount(new MountSpec("bind", _place["source"], "", ["rbind", "ro", "uidmap=0:100000:65536", "gidmap=0:100000:65536"]), _place["target"]);
        Assert.Equal((100_000u, 100_000u), Owner(_place["target/file"]));
        Assert.Throws<IOException>(() => File.AppendAllText(_place["target/file"], "y"));
    }

    [Theory]
    [InlineData("uidmap=0:100000:65536")]
    [InlineData("uidmap=0:100000:65536", "gidmap=0:x:1")]
    [InlineData("uidmap=0:100000:65536", "gidmap=0:1")]
    public void A_map_that_is_not_whole_is_refused(params string[] options)
    {
        Directory.CreateDirectory(_place["source"]);
        Directory.CreateDirectory(_place["target"]);
        var refused = Assert.Throws<FaultException>(
            () => Mounter.Mount(new MountSpec("bind", _place["source"], "", ["rbind", .. options]), _place["target"]));
        Assert.Equal("mount.bad-option", refused.Fault.Code);
    }

    private static (uint Uid, uint Gid) Owner(string path) => (FileStatus.Of(path).Uid, FileStatus.Of(path).Gid);
}
