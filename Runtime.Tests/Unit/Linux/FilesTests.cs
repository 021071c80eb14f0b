using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Linux;

public sealed class FilesTests : IDisposable
{
    private readonly TempDirectory _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public void Nothing_below_a_root_leads_out_of_it()
    {
        Directory.CreateDirectory(_place["root/in"]);
        File.WriteAllText(_place["secret"], "secret");
        File.WriteAllText(_place["root/secret"], "mine");
        File.CreateSymbolicLink(_place["root/up"], "../../secret");
        File.CreateSymbolicLink(_place["root/absolute"], _place["secret"]);
        File.CreateSymbolicLink(_place["root/magic"], "/proc/self/root" + _place["secret"]);
        using var root = RootDirectory.Open(_place["root"]);
        Assert.Equal("mine"u8.ToArray(), root.TryReadFile("up", 100));
        Assert.Equal("mine"u8.ToArray(), root.TryReadFile("in/../../../secret", 100));
        Assert.Null(root.TryReadFile("absolute", 100));
        Assert.Null(root.TryReadFile("magic", 100));
        Assert.Equal(_place["root/secret"], root.Resolve("/up"));
        Assert.Equal("file.too-big", Assert.Throws<FaultException>(() => root.TryReadFile("secret", 3)).Fault.Code);
        Assert.Equal("path.has-nul", Assert.Throws<FaultException>(() => root.OpenAt("a\0b", 0)).Fault.Code);
        Assert.Equal(FaultKind.NotFound, Assert.Throws<FaultException>(() => root.OpenAt("none", 0)).Fault.Kind);
    }

    [Fact]
    public void A_directory_is_made_inside_of_the_root_through_symlinks()
    {
        Directory.CreateDirectory(_place["root/real"]);
        File.CreateSymbolicLink(_place["root/link"], "/real");
        using var root = RootDirectory.Open(_place["root"]);
        root.CreateDirectory("/link/a/b").Dispose();
        root.CreateDirectory("/link/a/b").Dispose();
        Assert.True(Directory.Exists(_place["root/real/a/b"]));
        root.CreateDirectory("/").Dispose();
        File.WriteAllText(_place["root/file"], "");
        Assert.Throws<FaultException>(() => root.CreateDirectory("file/x"));
    }

    [Fact]
    public void A_fifo_in_an_image_does_not_block_its_reader()
    {
        Inodes.MakeFifo(_place["fifo"], 0b110_110_110);
        using var root = RootDirectory.Open(_place.Path);
        Assert.Equal("file.not-regular", Assert.Throws<FaultException>(() => root.TryReadFile("fifo", 100)).Fault.Code);
    }

    [Fact]
    public void Attributes_of_inodes_are_set_and_read_without_following_symlinks()
    {
        File.WriteAllText(_place["file"], "12345");
        File.CreateSymbolicLink(_place["link"], "file");
        Inodes.ChangeOwner(_place["link"], 11, 22);
        Inodes.SetModified(_place["link"], -5, 999_999_999);
        Inodes.ChangeMode(_place["file"], 0b100_110_100_000);
        Xattrs.Set(_place["file"], "user.a", "value"u8);
        var (file, link) = (FileStatus.Of(_place["file"]), FileStatus.Of(_place["link"]));
        Assert.Equal((0u, 0u, 5L, 0b100_110_100_000u, true), (file.Uid, file.Gid, file.Size, file.Permissions, file.IsFile));
        Assert.Equal((11u, 22u, -5L, 999_999_999u, true), (link.Uid, link.Gid, link.ModifiedSeconds, link.ModifiedNanoseconds, link.IsSymlink));
        Assert.Equal("value"u8.ToArray(), Xattrs.Get(_place["file"], "user.a"));
        Assert.Equal(["user.a"], Xattrs.List(_place["file"]));
        Assert.Empty(Xattrs.List(_place["link"]));
        Assert.True(Xattrs.Remove(_place["file"], "user.a"));
        Assert.False(Xattrs.Remove(_place["file"], "user.a"));
        Assert.Null(FileStatus.TryOf(_place["none"]));
    }

    [Fact]
    public void Devices_and_fifos_are_made_with_their_numbers_and_modes()
    {
        Inodes.MakeDevice(_place["dev"], FileConstants.S_IFCHR | 0b110_110_110, 0x123, 0xabcde);
        Inodes.MakeDevice(_place["white"], FileConstants.S_IFCHR, 0, 0);
        var status = FileStatus.Of(_place["dev"]);
        Assert.Equal((0x123u, 0xabcdeu, 0b110_110_110u), (status.DeviceMajor, status.DeviceMinor, status.Permissions));
        Assert.False(status.IsWhiteout);
        Assert.True(FileStatus.Of(_place["white"]).IsWhiteout);
    }

    [Fact]
    public void A_file_is_replaced_whole_with_its_mode()
    {
        DurableFiles.Write(_place["f"], "old"u8, 0b110_100_100);
        DurableFiles.Write(_place["f"], "new"u8);
        Assert.Equal("new", File.ReadAllText(_place["f"]));
        Assert.Equal(0b110_000_000u, FileStatus.Of(_place["f"]).Permissions);
        Assert.Throws<FaultException>(() => DurableFiles.Write(_place["none/f"], "x"u8));
        Directory.CreateDirectory(_place["dir"]);
        Assert.Throws<FaultException>(() => DurableFiles.Write(_place["dir"], "x"u8));
        Assert.Equal(2, Directory.GetFileSystemEntries(_place.Path).Length);
    }

    [Fact]
    public void Private_directories_are_made_with_their_parents()
    {
        DurableFiles.MakePrivateDirectory(_place["a/b/c"]);
        DurableFiles.MakePrivateDirectory(_place["a/b/c"]);
        Assert.Equal(0b111_000_000u, FileStatus.Of(_place["a/b"]).Permissions);
        Assert.Equal(0b111_000_000u, FileStatus.Of(_place["a/b/c"]).Permissions);
        File.WriteAllText(_place["file"], "");
        Assert.Throws<FaultException>(() => DurableFiles.MakePrivateDirectory(_place["file"]));
    }

    [Fact]
    public void A_lock_is_held_by_one_until_it_is_given_back()
    {
        using (var first = FileLock.TryAcquire(_place["lock"]))
        {
            Assert.NotNull(first);
            Assert.Null(FileLock.TryAcquire(_place["lock"]));
        }
        using var second = FileLock.TryAcquire(_place["lock"]);
        Assert.NotNull(second);
    }

    [Fact]
    public void Usage_counts_allocated_bytes_and_each_inode_once()
    {
        Directory.CreateDirectory(_place["t/sub"]);
        File.WriteAllBytes(_place["t/a"], new byte[100_000]);
        using (var sparse = File.Create(_place["t/sub/sparse"]))
            sparse.SetLength(10_000_000);
        System.Diagnostics.Process.Start("ln", [_place["t/a"], _place["t/sub/b"]]).WaitForExit();
        File.CreateSymbolicLink(_place["t/out"], "/usr");
        var usage = DirectoryTree.Usage(_place["t"], TestContext.Current.CancellationToken);
        Assert.Equal(5, usage.Inodes);
        Assert.InRange(usage.Bytes, 100_000, 130_000);
        Assert.Equal(default, DirectoryTree.Usage(_place["none"], TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Deleting_never_follows_a_symlink_and_is_repeatable()
    {
        Directory.CreateDirectory(_place["t/a/b"]);
        Directory.CreateDirectory(_place["keep"]);
        File.WriteAllText(_place["keep/file"], "");
        File.CreateSymbolicLink(_place["t/a/b/link"], _place["keep"]);
        File.CreateSymbolicLink(_place["link"], _place["keep"]);
        for (var i = 0; i < 3000; i++)
            File.WriteAllText(_place[$"t/a/file{i}"], "");
        Assert.True(DirectoryTree.Delete(_place["t"]));
        Assert.False(DirectoryTree.Delete(_place["t"]));
        Assert.True(DirectoryTree.Delete(_place["link"]));
        Assert.Equal(["keep"], Directory.GetFileSystemEntries(_place.Path).Select(Path.GetFileName));
        Assert.True(File.Exists(_place["keep/file"]));
    }
}
