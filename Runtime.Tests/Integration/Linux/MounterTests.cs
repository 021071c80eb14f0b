using System.Collections.Immutable;
using Runtime.Faults;
using Runtime.Linux;
using Runtime.Linux.Files;
using Runtime.Linux.Mounts;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Linux;

[Collection(KernelCollection.Name)]
public sealed class MounterTests : IDisposable
{
    private readonly TempDirectory _place = new();

    public void Dispose()
    {
        Mounter.UnmountTree(_place.Path, lazy: true);
        Assert.Empty(MountTable.Read().Under(_place.Path));
        _place.Dispose();
    }

    private MountEntry Mounted(string name) => MountTable.Read().Find(_place[name]) ?? throw new InvalidOperationException($"{name} is not mounted");

    private void Make(params string[] directories)
    {
        foreach (var directory in directories)
            Directory.CreateDirectory(_place[directory]);
    }

    [Fact]
    public void A_tmpfs_is_mounted_with_flags_and_data_and_unmounted_once()
    {
        Make("shm");
        Mounter.MountShm(_place["shm"], 1 << 20);
        var mount = Mounted("shm");
        Assert.Equal(("tmpfs", "shm"), (mount.Type, mount.Source));
        Assert.Contains("nosuid,nodev,noexec", mount.Options);
        Assert.Contains("size=1024k", mount.SuperOptions);
        Assert.Equal(0b001_111_111_111u, FileStatus.Of(_place["shm"]).Permissions);
        Assert.True(Mounter.Unmount(_place["shm"]));
        Assert.False(Mounter.Unmount(_place["shm"]));
        Assert.False(Mounter.Unmount(_place["none"]));
    }

    [Fact]
    public void A_bind_is_read_only_when_asked_and_keeps_the_sources_flags()
    {
        Make("shm", "bind", "again");
        Mounter.MountShm(_place["shm"]);
        Mounter.Bind(_place["shm"], _place["bind"], readOnly: true);
        Assert.True(Mounted("bind").IsReadOnly);
        Assert.Contains("nosuid,nodev,noexec", Mounted("bind").Options);
        Assert.False(Mounted("shm").IsReadOnly);
        Mounter.Mount(new("bind", _place["bind"], "again", ["rbind", "rw", "exec"]), _place.Path);
        Assert.False(Mounted("again").IsReadOnly);
        Assert.DoesNotContain("noexec", Mounted("again").Options);
    }

    [Fact]
    public void Recursive_read_only_reaches_the_mounts_below()
    {
        Assert.SkipUnless(KernelFeatures.Read().HasMountSetattr, "mount_setattr(2) needs Linux 5.12");
        Make("outer", "bind");
        Mounter.MountShm(_place["outer"]);
        Make("outer/inner");
        Mounter.MountShm(_place["outer/inner"]);
        Mounter.Mount(new("bind", _place["outer"], "bind", ["rbind", "rro", "rprivate"]), _place.Path);
        Assert.True(Mounted("bind").IsReadOnly);
        Assert.True(Mounted("bind/inner").IsReadOnly);
        Assert.False(Mounted("outer/inner").IsReadOnly);
    }

    [Fact]
    public void Propagation_is_set_and_seen()
    {
        Make("shm");
        Mounter.MountShm(_place["shm"]);
        Mounter.SetPropagation(_place["shm"], MountFlags.MS_SHARED | MountFlags.MS_REC);
        Assert.True(Mounted("shm").IsShared);
        Mounter.SetPropagation(_place["shm"], MountFlags.MS_PRIVATE);
        Assert.False(Mounted("shm").IsShared);
    }

    [Fact]
    public void A_target_below_a_symlink_stays_inside_of_the_root()
    {
        Make("root/inside", "inside");
        File.CreateSymbolicLink(_place["root/link"], "../inside");
        Mounter.Mount(new("tmpfs", "none", "/link", []), _place["root"]);
        Assert.Equal("tmpfs", Mounted("root/inside").Type);
        Assert.False(MountTable.Read().IsMountPoint(_place["inside"]));
    }

    [Fact]
    public void A_failure_says_what_and_leaves_nothing()
    {
        Make("a", "b");
        var fault = Assert.Throws<FaultException>(() => Mounter.MountAll(
            [new("tmpfs", "none", "a", []), new("tmpfs", "none", "b", ["nonsense=1"])], _place.Path)).Fault;
        Assert.Equal(FaultKind.InvalidArgument, fault.Kind);
        Assert.Contains(_place["b"], fault.Message);
        Assert.Empty(MountTable.Read().Under(_place.Path));
        Assert.Equal(FaultKind.NotFound, Assert.Throws<FaultException>(() => Mounter.Bind(_place["none"], _place["a"])).Fault.Kind);
    }

    [Fact]
    public void Stacked_mounts_and_trees_are_unmounted()
    {
        Make("a");
        Mounter.MountShm(_place["a"]);
        Mounter.MountShm(_place["a"]);
        Assert.Equal(2, Mounter.UnmountAll(_place["a"]));
        Mounter.MountShm(_place["a"]);
        Make("a/b");
        Mounter.MountShm(_place["a/b"]);
        Assert.Equal(2, Mounter.UnmountTree(_place.Path));
    }

    [Fact]
    public void A_busy_mount_is_unmounted_lazily()
    {
        Make("a");
        Mounter.MountShm(_place["a"]);
        using var open = File.Create(_place["a/file"]);
        Assert.Equal(FaultKind.FailedPrecondition, Assert.Throws<FaultException>(() => Mounter.Unmount(_place["a"])).Fault.Kind);
        Assert.True(Mounter.Unmount(_place["a"], lazy: true));
    }

    [Theory]
    [InlineData(120)]
    [InlineData(400)]
    public void An_overlay_of_many_layers_exceeds_one_page_of_options(int count)
    {
        Assert.SkipUnless(KernelFeatures.Read().Version >= new Version(6, 7) || count < 200, "lowerdir+ needs Linux 6.7");
        Make("upper", "work", "merged");
        var lowers = ImmutableArray.CreateBuilder<string>();
        for (var i = 0; i < count; i++)
        {
            var name = $"snapshots-with-a-long-name/{i}/fs";
            Make(name);
            File.WriteAllText(_place[$"{name}/file{i}"], $"{i}");
            File.WriteAllText(_place[$"{name}/top"], $"{i}");
            lowers.Add(_place[name]);
        }
        var options = $"lowerdir={string.Join(':', lowers)}";
        Assert.True(options.Length > 4096);
        Mounter.Mount(
            new("overlay", "overlay", "", ["index=off", $"workdir={_place["work"]}", $"upperdir={_place["upper"]}", options]), _place["merged"]);
        Assert.Equal(count + 1, Directory.GetFiles(_place["merged"]).Length);
        Assert.Equal("0", File.ReadAllText(_place["merged/top"]));
        File.WriteAllText(_place["merged/new"], "");
        Assert.True(File.Exists(_place["upper/new"]));
    }

    [Fact]
    public void An_overlay_of_long_paths_is_mounted_relative_to_their_parent()
    {
        // Longer than fsconfig(2) takes, so the other way is used.
        var parent = string.Join('/', Enumerable.Repeat(new string('p', 100), 3));
        Make("merged");
        var lowers = new List<string>();
        for (var i = 0; i < 40; i++)
        {
            Make($"{parent}/{i}");
            File.WriteAllText(_place[$"{parent}/{i}/file{i}"], "");
            lowers.Add(_place[$"{parent}/{i}"]);
        }
        var before = Environment.CurrentDirectory;
        Mounter.Mount(new("overlay", "overlay", "", [$"lowerdir={string.Join(':', lowers)}"]), _place["merged"]);
        Assert.Equal(40, Directory.GetFiles(_place["merged"]).Length);
        Assert.Equal(before, Environment.CurrentDirectory);
    }

    [Fact]
    public void Overlay_features_are_found_out_without_a_trace()
    {
        var features = OverlayFeatures.Probe(_place.Path);
        Assert.Equal((true, "", false), (features.IsSupported, features.Reason, features.NeedsUserXattr));
        Assert.True(features.HasIndex);
        Assert.Empty(Directory.GetFileSystemEntries(_place.Path));
    }

    [Fact]
    public void A_tree_with_a_mount_inside_is_not_deleted_through_it()
    {
        Make("t/a", "source");
        File.WriteAllText(_place["source/file"], "");
        Mounter.Bind(_place["source"], _place["t/a"]);
        Assert.Equal("tree.is-mounted", Assert.Throws<FaultException>(() => DirectoryTree.Delete(_place["t"])).Fault.Code);
        Assert.Equal("tree.is-mounted", Assert.Throws<FaultException>(() => DirectoryTree.Delete(_place["t/a"])).Fault.Code);
        Assert.True(File.Exists(_place["source/file"]));
        Assert.Equal(1, DirectoryTree.Usage(_place["t"], TestContext.Current.CancellationToken).Inodes);
        Mounter.Unmount(_place["t/a"]);
        Assert.True(DirectoryTree.Delete(_place["t"]));
    }
}
