using System.Security.Cryptography;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Linux.Mounts;
using Runtime.Oci.Layers;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Layers;

/// <summary>Layers that we write, read by us, by GNU tar and by umoci: the same trees come out.</summary>
[Collection(KernelCollection.Name)]
public sealed class LayerPackerTests : IDisposable
{
    private readonly TempDirectory _place = new();

    public LayerPackerTests()
    {
        foreach (var name in (string[])["lower", "upper", "work", "merged", "ours", "theirs"])
            Directory.CreateDirectory(_place[name]);
    }

    public void Dispose()
    {
        Mounter.UnmountAll(_place["merged"], lazy: true);
        DirectoryTree.Clear(_place.Path);
        _place.Dispose();
    }

    [Fact]
    public async Task A_whole_tree_becomes_itself_again_by_ours_and_by_gnu_tar()
    {
        await MakeTree("upper");
        Write(null, "upper", "layer.tar");
        await ApplyOurs("layer.tar", "ours");
        await Shell("tar --numeric-owner --xattrs --xattrs-include='*' --same-owner -C theirs -xpf layer.tar");

        var source = await Describe("upper");
        Assert.Equal(source, await Describe("ours"));
        Assert.Equal(source, await Describe("theirs"));
        Assert.DoesNotContain("socket", await Shell("tar -tf layer.tar"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_an_overlay_changed_makes_its_tree_out_of_the_lower_one(bool readsUpper)
    {
        await MakeTree("lower");
        Mounter.Mount(Overlay, _place["merged"]);
        await ChangeTree("merged");
        if (readsUpper) Assert.True(TryWriteUpper("layer.tar"));
        else Write("lower", "merged", "layer.tar");

        Write(null, "lower", "base.tar");
        await ApplyOurs("base.tar", "ours");
        await ApplyOurs("layer.tar", "ours");
        await Unpacked("base.tar", "layer.tar");
        var merged = WithoutDirectoryTimes(await Describe("merged"));
        Assert.Equal(merged, WithoutDirectoryTimes(await Describe("ours")));
        Assert.Equal(merged, WithoutDirectoryTimes(await Describe("theirs/rootfs")));
    }

    [Fact]
    public async Task Reading_the_upper_directory_and_reading_both_trees_say_the_same()
    {
        await MakeTree("lower");
        Mounter.Mount(Overlay, _place["merged"]);
        await Shell("cd merged && echo more >> etc/empty && rm usr/bin/tool && mkdir -p srv/new && echo x > srv/new/file && ln srv/new/file srv/link");
        Assert.True(TryWriteUpper("upper.tar"));
        Write("lower", "merged", "both.tar");

        Assert.Equal(await Shell("tar -tvf upper.tar"), await Shell("tar -tvf both.tar"));
    }

    [Fact]
    public async Task Only_what_changed_is_in_a_layer_with_the_directories_that_lead_to_it()
    {
        await Shell("cd lower && mkdir -p a/b c && echo 1 > a/b/file && echo 2 > c/same && cp -a . ../upper && echo changed > ../upper/a/b/file && rm ../upper/c/same");
        Write("lower", "upper", "layer.tar");

        Assert.Equal("a/\na/b/\na/b/file\nc/\nc/.wh.same\n", await Shell("tar -tf layer.tar"));
    }

    [Fact]
    public async Task A_new_name_of_an_unchanged_file_is_a_link_to_it_again()
    {
        await Shell("cd lower && echo content > first && cp -a . ../upper && cd ../upper && ln first second");
        Write("lower", "upper", "layer.tar");
        await Shell("cp -a lower/. ours");
        await ApplyOurs("layer.tar", "ours");

        Assert.Equal(FileStatus.Of(_place["ours/first"]).Inode, FileStatus.Of(_place["ours/second"]).Inode);
    }

    [Fact]
    public async Task The_same_tree_gives_the_same_bytes_in_whatever_order_it_was_made()
    {
        await Shell("""
            cd upper; for i in 1 2 3; do echo $i > f$i; done; mkdir d; ln f1 d/link; cd ..
            cd ours; mkdir d; for i in 3 2 1; do echo $i > f$i; done; ln f1 d/link; cd ..
            find upper ours -exec touch -h -d '2020-01-01' {} +
            """);
        Write(null, "upper", "one.tar");
        Write(null, "ours", "two.tar");

        Assert.Equal(HashOf("one.tar"), HashOf("two.tar"));
    }

    [Fact]
    public async Task No_time_is_later_than_the_newest_one_that_is_allowed()
    {
        await Shell("cd lower && echo x > gone && cd ../upper && echo new > new && touch -d '2001-01-01 UTC' old && echo old > keep && touch -d '2001-01-01 UTC' keep");
        Write("lower", "upper", "layer.tar", DateTimeOffset.Parse("2010-05-06T07:08:09Z", System.Globalization.CultureInfo.InvariantCulture));

        var listing = await Shell("TZ=UTC tar --full-time -tvf layer.tar");
        Assert.Contains("2010-05-06 07:08:09 new", listing, StringComparison.Ordinal);
        Assert.Contains("2010-05-06 07:08:09 .wh.gone", listing, StringComparison.Ordinal);
        Assert.Contains("2001-01-01 00:00:00 keep", listing, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_renamed_directory_of_the_lower_layer_is_left_to_the_reading_of_both_trees()
    {
        await Shell("mkdir -p lower/etc/deep && echo x > lower/etc/deep/file");
        Mounter.Mount(Overlay with { Options = Overlay.Options.Add("redirect_dir=on") }, _place["merged"]);
        await Shell("mv merged/etc merged/moved");

        Assert.False(TryWriteUpper("layer.tar"));
        Write("lower", "merged", "layer.tar");
        Assert.Equal(".wh.etc\nmoved/\nmoved/deep/\nmoved/deep/file\n", await Shell("tar -tf layer.tar"));
    }

    [Fact]
    public async Task A_name_that_would_delete_another_one_is_refused()
    {
        await Shell("echo x > upper/.wh.name");
        var fault = Assert.Throws<FaultException>(() => Write(null, "upper", "layer.tar"));
        Assert.Equal("layer.reserved-name", fault.Fault.Code);
    }

    private MountSpec Overlay => new(
        "overlay", "overlay", "", [$"lowerdir={_place["lower"]}", $"upperdir={_place["upper"]}", $"workdir={_place["work"]}"]);

    private Task<string> Shell(string script) => Tool.RunAsync("sh", "-euc", $"cd {_place.Path}\n{script}");

    private Task<string> MakeTree(string directory) => Shell($$"""
        cd {{directory}}
        mkdir -p usr/bin etc/deep/er "sp ace" tmp opt/sub
        chmod 1777 tmp
        head -c 300000 /dev/urandom > usr/bin/tool
        chown 1000:2000 usr/bin/tool
        python3 -c 'import os, socket
        os.setxattr("usr/bin/tool", "user.note", b"hel\0lo\n=")
        os.setxattr("etc/deep", "user.dir", b"d")
        os.setxattr("usr/bin/tool", "security.capability", bytes([1, 0, 0, 2, 0, 32] + [0] * 14))
        socket.socket(socket.AF_UNIX).bind("tmp/socket")
        open(b"etc/not-\xff-utf8", "w").close()'
        rm tmp/socket
        chmod 4755 usr/bin/tool
        ln usr/bin/tool usr/bin/alias
        ln -s ../../../../etc/passwd usr/bin/up
        ln -s /usr/bin/tool etc/abs
        chown -h 5:6 etc/abs
        chown 3000000:4000000 etc/deep
        : > etc/empty
        printf 'ünïcode' > "sp ace/nämé"
        mknod etc/char c 1 3
        mknod etc/block b 7 300
        mkfifo etc/fifo
        long=$(printf 'n%.0s' $(seq 1 150))
        mkdir -p "etc/$long/$long"
        echo long > "etc/$long/$long/$long"
        ln -s "$long/$long/$long" etc/longlink
        ln "etc/$long/$long/$long" etc/longhard
        truncate -s 5M etc/sparse
        printf data | dd of=etc/sparse bs=1 seek=3000000 conv=notrunc status=none
        echo sub > opt/sub/file
        find . -depth -exec touch -h -d '2001-02-03 04:05:06 UTC' {} +
        touch -d '1960-01-01 UTC' etc/empty
        """);

    /// <summary>Every kind of change that a container can make.</summary>
    private Task<string> ChangeTree(string directory) => Shell($"""
        cd {directory}
        echo more >> etc/empty
        rm usr/bin/alias etc/char
        rm -r opt && mkdir opt && echo again > opt/file
        rm etc/fifo && mkdir etc/fifo
        rm -r "sp ace" && echo file > "sp ace"
        chmod 0700 etc/deep
        mkdir -p new/dir && echo new > new/dir/file && ln new/dir/file new/link && ln -s file new/dir/sym
        mknod new/null c 1 3
        touch -h -d '2005-05-05 UTC' etc/empty new/dir/file new/dir/sym new/null "sp ace" opt/file usr/bin/tool
        """);

    private void Write(string? lower, string upper, string archive, DateTimeOffset? newest = null)
    {
        using var target = File.Create(_place[archive]);
        LayerPacker.WriteDifference(lower is null ? null : _place[lower], _place[upper], target, newest, TestContext.Current.CancellationToken);
    }

    private bool TryWriteUpper(string archive)
    {
        using var target = File.Create(_place[archive]);
        return LayerPacker.TryWriteUpper(_place["upper"], userXattr: false, target, null, TestContext.Current.CancellationToken);
    }

    private async Task ApplyOurs(string archive, string directory)
    {
        await using var layer = File.OpenRead(_place[archive]);
        await LayerApplier.ApplyAsync(layer, _place[directory], cancel: TestContext.Current.CancellationToken);
    }

    private Task<string> Unpacked(params string[] layers) => Shell($"""
        umoci init --layout image
        umoci new --image image:test
        {string.Join('\n', layers.Select(layer => $"umoci raw add-layer --image image:test {layer}"))}
        rmdir theirs
        umoci unpack --image image:test theirs
        """);

    private string HashOf(string archive) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(_place[archive])));

    /// <summary>A directory that lost or got a name has the time of that; archives have whole seconds.</summary>
    private static string WithoutDirectoryTimes(string text) =>
        System.Text.RegularExpressions.Regex.Replace(text, @"(?m)^(.*\td\t.*)\t[-\d.]+$", "$1");

    private Task<string> Describe(string directory) => Shell($$"""
        cd {{directory}}
        find . -mindepth 1 ! -type d -printf '%P\t%y\t%m\t%U:%G\t%s\t%n\t%Ts\t%l\n' -o -mindepth 1 -printf '%P\t%y\t%m\t%U:%G\t%Ts\n' | LC_ALL=C sort
        find . \( -type c -o -type b \) -exec stat -c '%n %t:%T' {} + | LC_ALL=C sort
        find . -type f -exec sha256sum {} + | LC_ALL=C sort -k2
        python3 -c 'import os
        for at, dirs, files in sorted(os.walk(b".")):
            for path in [at] + sorted(os.path.join(at, name) for name in files):
                for name in sorted(os.listxattr(path, follow_symlinks=False)):
                    if name.startswith(("user.", "security.cap")) and not name.startswith("user.rootlesscontainers"):
                        print(path, name, os.getxattr(path, name, follow_symlinks=False).hex())'
        """);
}
