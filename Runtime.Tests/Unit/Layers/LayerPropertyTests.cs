using CsCheck;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Oci.Layers;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Layers;

/// <summary>Random layers, well-formed and damaged: applied or refused with a fault, and nothing outside of the root changes.</summary>
public sealed class LayerPropertyTests
{
    private static readonly Gen<string> Name = One("a", "b", "c", "..", ".", ".wh.a", ".wh..wh..opq", "a/b").Array[1, 4]
        .Select(parts => string.Join('/', parts));

    private static readonly Gen<string> Target =
        Gen.OneOf(Name, Name.Select(name => "/" + name), Gen.Const("../../outside"), Gen.Const("../outside/secret"), Gen.Const("/"));

    private static readonly Gen<(char Type, string Name, string Target)> Entry =
        Gen.Select(One('0', '0', '1', '2', '2', '5', '5', '6'), Name, Target);

    private static Gen<T> One<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(index => values[index]);

    private static TarBuilder Tar((char Type, string Name, string Target)[] entries)
    {
        var tar = new TarBuilder();
        foreach (var (type, name, target) in entries)
            tar.Add(type, name, type == '0' ? "content"u8.ToArray() : null, link: type is '1' or '2' ? target : "");
        return tar;
    }

    [Fact]
    public Task No_order_of_names_and_links_leads_out_of_the_root() =>
        Gen.Select(Entry.Array[1, 25], Gen.Bool).SampleAsync(async (entries, overlay) =>
        {
            // One entry that is refused would hide what the others do.
            await InPlace(async root =>
            {
                foreach (var entry in entries)
                    await TryApply(Tar([entry]).ToArray(), root, overlay);
                await TryApply(Tar(entries).ToArray(), root, overlay);
            });
        }, iter: 100, threads: 1);

    [Fact]
    public Task A_damaged_layer_is_a_fault_or_a_layer() => Gen.Select(
        Entry.Array[1, 6], Gen.Select(Gen.Int[0, 20_000], Gen.Byte).Array[1, 20], Gen.Bool).SampleAsync(async (entries, changes, overlay) =>
        {
            var tar = Tar(entries).Pax(("path", "long"), ("mtime", "1.5"), ("SCHILY.xattr.user.x", "1")).File("x")
                .Pax(("GNU.sparse.size", "10000"), ("GNU.sparse.map", "0,1,512,1")).File("sparse", "ab").ToArray();
            foreach (var (at, value) in changes)
            {
                tar[at % tar.Length] = value;
                Sign(tar, at % tar.Length / 512 * 512);
            }
            await InPlace(root => TryApply(tar, root, overlay));
        }, iter: 100, threads: 1);

    /// <summary>What two layers say of each path is what a directory shows after both, in whatever order the second one says it.</summary>
    [Fact]
    public Task The_tree_does_not_depend_on_where_whiteouts_stand() =>
        Gen.Select(Files, Files, One("a", "b", "c", "a/b").Array[0, 3], Gen.Int).SampleAsync(async (below, above, deleted, seed) =>
        {
            using var root = new TempDirectory();
            await TryApply(Tar([.. below.Select(name => ('0', name, ""))]).ToArray(), root.Path, overlay: false);
            (char, string, string)[] second =
            [
                .. above.Select(name => ('0', name, "")),
                .. deleted.Select(name => ('0', Path.Combine(Path.GetDirectoryName(name)!, ".wh." + Path.GetFileName(name)), "")),
            ];
            new Random(seed).Shuffle(second);
            await TryApply(Tar(second).ToArray(), root.Path, overlay: false);
            var expected = below.Where(name => !deleted.Any(gone => name == gone || name.StartsWith(gone + "/", StringComparison.Ordinal)))
                .Concat(above).Distinct().Order(StringComparer.Ordinal);
            Assert.Equal(expected, Directory.EnumerateFiles(root.Path, "*", SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(root.Path, path)).Order(StringComparer.Ordinal));
        }, iter: 100, threads: 1);

    /// <summary>Files only, none of which is another one's directory.</summary>
    private static Gen<string[]> Files => One("a/x", "a/y", "a/b/x", "a/b/y", "b/x", "c/x", "c/d/e").Array[0, 6]
        .Select(names => names.Distinct().ToArray());

    private static async Task InPlace(Func<string, Task> act)
    {
        using var place = new TempDirectory();
        try
        {
            Directory.CreateDirectory(place["root"]);
            Directory.CreateDirectory(place["outside"]);
            File.WriteAllText(place["outside/secret"], "secret");
            var before = FileStatus.Of(place["outside"]);
            await act(place["root"]);
            Assert.Equal(before, FileStatus.Of(place["outside"]));
            Assert.Equal("secret", File.ReadAllText(place["outside/secret"]));
            Assert.Equal(1u, FileStatus.Of(place["outside/secret"]).Links);
            Assert.Equal(2, Directory.GetFileSystemEntries(place.Path).Length);
        }
        finally
        {
            DirectoryTree.Clear(place.Path);
        }
    }

    private static async Task TryApply(byte[] tar, string root, bool overlay)
    {
        try
        {
            await LayerApplier.ApplyAsync(
                new MemoryStream(tar), root, new() { Whiteouts = overlay ? WhiteoutMode.Overlay : WhiteoutMode.Delete });
        }
        catch (FaultException)
        {
            // Refused: what this property allows.
        }
    }

    /// <summary>Gives a damaged header a checksum that fits, so that the damage gets past the first check.</summary>
    private static void Sign(byte[] tar, int header)
    {
        var block = tar.AsSpan(header, 512);
        block.Slice(148, 8).Fill((byte)' ');
        var sum = 0;
        foreach (var value in block)
            sum += value;
        System.Text.Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ", block.Slice(148, 8));
    }
}
