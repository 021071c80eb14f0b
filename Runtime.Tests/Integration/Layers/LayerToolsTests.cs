using Runtime.Linux.Files;
using Runtime.Linux.Mounts;
using Runtime.Oci.Layers;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Layers;

/// <summary>Archives that real tools write, applied by us and by the tools: the same trees come out.</summary>
[Collection(KernelCollection.Name)]
public sealed class LayerToolsTests : IDisposable
{
    private readonly TempDirectory _place = new();

    public LayerToolsTests()
    {
        foreach (var name in (string[])["source", "ours", "theirs"])
            Directory.CreateDirectory(_place[name]);
    }

    public void Dispose()
    {
        DirectoryTree.Clear(_place.Path);
        _place.Dispose();
    }

    private Task<string> Shell(string script) => Tool.RunAsync("sh", "-euc", $"cd {_place.Path}\n{script}");

    /// <summary>Everything that an inode can be, long names, and a file with holes.</summary>
    private Task<string> MakeSource() => Shell("""
        cd source
        mkdir -p usr/bin etc/deep/er "sp ace" tmp
        chmod 1777 tmp
        head -c 300000 /dev/urandom > usr/bin/tool
        chmod 4755 usr/bin/tool
        chown 1000:2000 usr/bin/tool
        python3 -c 'import os
        os.setxattr("usr/bin/tool", "user.note", b"hello")
        os.setxattr("usr/bin/tool", "security.capability", bytes([1, 0, 0, 2, 0, 32] + [0] * 14))'
        chmod 4755 usr/bin/tool
        ln usr/bin/tool usr/bin/alias
        ln -s ../../../../etc/passwd usr/bin/up
        ln -s /usr/bin/tool etc/abs
        chown -h 5:6 etc/abs
        : > etc/empty
        printf 'ünïcode' > "sp ace/nämé"
        mknod etc/char c 1 3
        mknod etc/block b 7 300
        mkfifo etc/fifo
        chmod 0604 etc/fifo
        long=$(printf 'n%.0s' $(seq 1 150))
        mkdir -p "etc/$long/$long"
        echo long > "etc/$long/$long/$long"
        ln -s "$long/$long/$long" etc/longlink
        ln "etc/$long/$long/$long" etc/longhard
        truncate -s 5M etc/sparse
        printf data | dd of=etc/sparse bs=1 seek=3000000 conv=notrunc status=none
        for i in $(seq 1 40); do printf "$i" | dd of=etc/manyholes bs=1 seek=$((i * 65536)) conv=notrunc status=none; done
        touch -d '2001-02-03 04:05:06.789' etc/empty etc/deep etc tmp usr/bin/tool
        touch -h -d '1999-01-01 00:00:00' etc/abs
        """);

    /// <summary>Type, mode, owner, size, links, time, target and content of all, and attributes: as find and getfattr see them.</summary>
    private async Task<string> Describe(string directory, bool nanoseconds = true)
    {
        var found = await Shell($$"""
            cd {{directory}}
            find . ! -type d -printf '%P\t%y\t%m\t%U:%G\t%s\t%n\t%T@\t%l\n' -o -printf '%P\t%y\t%m\t%U:%G\t%T@\n' | LC_ALL=C sort
            find . \( -type c -o -type b \) -exec stat -c '%n %t:%T' {} + | LC_ALL=C sort
            find . -type f -exec sha256sum {} + | LC_ALL=C sort -k2
            python3 -c 'import os
            for at, dirs, files in sorted(os.walk(".")):
                for path in [at] + sorted(os.path.join(at, name) for name in files):
                    for name in os.listxattr(path, follow_symlinks=False):
                        print(path, name, os.getxattr(path, name, follow_symlinks=False).hex())'
            """);
        return nanoseconds ? found : System.Text.RegularExpressions.Regex.Replace(found, @"(\d+)\.\d{10}", "$1");
    }

    private async Task ApplyOurs(string archive)
    {
        await using var layer = await LayerDecompression.OpenAsync(File.OpenRead(_place[archive]), TestContext.Current.CancellationToken);
        await LayerApplier.ApplyAsync(layer, _place["ours"], cancel: TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("--format=posix --xattrs --xattrs-include=*", true)]
    [InlineData("--format=posix --sparse --sparse-version=0.0 --xattrs --xattrs-include=*", true)]
    [InlineData("--format=posix --sparse --sparse-version=0.1", true)]
    [InlineData("--format=posix --sparse --sparse-version=1.0", true)]
    [InlineData("--format=gnu", false)]
    [InlineData("--format=gnu --sparse", false)]
    [InlineData("--format=gnu --sparse --gzip", false)]
    [InlineData("--format=posix --zstd", true)]
    public async Task What_gnu_tar_writes_becomes_the_tree_that_gnu_tar_makes(string options, bool nanoseconds)
    {
        await MakeSource();
        await Shell($"""
            set -f
            tar --numeric-owner {options} -C source -cf layer.tar .
            tar --numeric-owner --xattrs --xattrs-include='*' --same-owner -C theirs -xpf layer.tar
            """);
        await ApplyOurs("layer.tar");
        Assert.Equal(await Describe("theirs"), await Describe("ours"));
        if (options.Contains("xattrs", StringComparison.Ordinal))
            Assert.Equal(await Describe("source", nanoseconds), await Describe("ours", nanoseconds));
        if (options.Contains("sparse", StringComparison.Ordinal))
            Assert.True(FileStatus.Of(_place["ours/etc/sparse"]).AllocatedBytes < 1_000_000);
    }

    [Theory]
    [InlineData("PAX_FORMAT")]
    [InlineData("GNU_FORMAT")]
    public async Task What_pythons_tarfile_writes_becomes_the_tree_that_it_was(string format)
    {
        await MakeSource();
        await Shell($"""
            python3 -c 'import os, tarfile
            os.removexattr("source/usr/bin/tool", "user.note")
            os.removexattr("source/usr/bin/tool", "security.capability")
            t = tarfile.open("layer.tar", "w:gz", format=tarfile.{format}); t.add("source", "."); t.close()'
            """);
        await ApplyOurs("layer.tar");
        // tarfile keeps microseconds in pax, and none in GNU's format.
        Assert.Equal(await Describe("source", nanoseconds: false), await Describe("ours", nanoseconds: false));
    }

    [Fact]
    public async Task Layers_with_whiteouts_become_the_tree_that_umoci_makes()
    {
        await MakeSource();
        await Shell("""
            tar --numeric-owner --format=posix -C source -cf one.tar .
            mkdir -p two/etc/deep two/usr two/tmp
            touch two/etc/.wh.empty two/etc/.wh.manyholes two/usr/.wh.bin two/etc/deep/new two/etc/deep/.wh..wh..opq two/.wh.tmp
            rmdir two/tmp
            echo replaced > two/etc/fifo
            mkdir two/etc/abs
            tar --numeric-owner --format=posix -C two -cf two.tar .
            umoci init --layout image
            umoci new --image image:test
            umoci raw add-layer --image image:test one.tar
            umoci raw add-layer --image image:test two.tar
            umoci raw unpack --image image:test theirs
            """);
        await ApplyOurs("one.tar");
        await ApplyOurs("two.tar");
        Assert.Equal(Stable(await Describe("theirs")), Stable(await Describe("ours")));
        Assert.False(Directory.Exists(_place["ours/usr/bin"]));

        // A directory that only lost a name has the time of that: now.
        static string Stable(string text) => string.Join('\n', text.Split('\n').Where(line => !line.StartsWith("usr\t", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task An_overlay_of_layers_shows_the_tree_that_deletions_make()
    {
        await MakeSource();
        await Shell("""
            tar --numeric-owner --format=posix -C source -cf one.tar .
            mkdir -p two/etc/deep two/usr ours upper work merged lower
            touch two/etc/.wh.empty two/usr/.wh.bin two/etc/deep/new two/etc/deep/.wh..wh..opq two/.wh.tmp
            tar --numeric-owner --format=posix -C two -cf two.tar .
            """);
        var cancel = TestContext.Current.CancellationToken;
        await ApplyOurs("one.tar");
        await ApplyOurs("two.tar");
        await using (var one = File.OpenRead(_place["one.tar"]))
            await LayerApplier.ApplyAsync(one, _place["lower"], new() { Whiteouts = WhiteoutMode.Overlay }, cancel);
        await using (var two = File.OpenRead(_place["two.tar"]))
            await LayerApplier.ApplyAsync(two, _place["upper"], new() { Whiteouts = WhiteoutMode.Overlay, Lowers = [_place["lower"]] }, cancel);
        Mounter.Mount(
            new("overlay", "overlay", "", ["ro", $"lowerdir={_place["upper"]}:{_place["lower"]}"]), _place["merged"]);
        try
        {
            Assert.Equal(await Describe("ours", nanoseconds: false), await Describe("merged", nanoseconds: false));
        }
        finally
        {
            Mounter.Unmount(_place["merged"]);
        }
    }

    [Fact]
    public async Task A_layer_cut_anywhere_is_refused_or_is_a_part_of_the_tree()
    {
        await MakeSource();
        await Shell("tar --numeric-owner --format=posix -C source -czf layer.tar .");
        var blob = await File.ReadAllBytesAsync(_place["layer.tar"], TestContext.Current.CancellationToken);
        for (var length = 20; length < blob.Length; length += blob.Length / 25)
        {
            await using var layer = await LayerDecompression.OpenAsync(
                new MemoryStream(blob, 0, length), TestContext.Current.CancellationToken);
            var fault = await Assert.ThrowsAsync<Faults.FaultException>(() =>
                LayerApplier.ApplyAsync(layer, _place["ours"], cancel: TestContext.Current.CancellationToken));
            Assert.Equal("layer.malformed-compression", fault.Fault.Code);
        }
    }
}
