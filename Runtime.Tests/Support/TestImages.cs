using System.Collections.Immutable;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Runtime.Oci.Images;
using ZstdSharp;

namespace Runtime.Tests.Support;

/// <summary>An image that a test built: an OCI layout directory with one manifest, tagged <see cref="Tag"/>.</summary>
public sealed record TestImage(string Layout, Descriptor Target, ImageManifest Manifest, ImageConfig Config)
{
    public const string Tag = "test";

    /// <summary>Digest of the config: the image id.</summary>
    public Digest Id => Manifest.Config.Digest;

    public string BlobPath(Digest digest) => Path.Combine(Layout, "blobs", digest.AlgorithmName, digest.Hex);

    /// <summary>The layout as a tar, as <c>ctr images import</c> and the like read it.</summary>
    public async Task<string> ToTarAsync(string path)
    {
        await TarFile.CreateFromDirectoryAsync(Layout, path, includeBaseDirectory: false);
        return path;
    }
}

/// <summary>One layer: how it is compressed, and what writes its entries.</summary>
public sealed record TestLayer(LayerCompression Compression, Action<TarWriter> Write);

/// <summary>Builds small images from /bin/busybox. Equal input gives equal digests.</summary>
public static class TestImages
{
    /// <summary>Of every file and image: 2024-01-02T03:04:05Z.</summary>
    public static readonly DateTimeOffset Time = new(2024, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private const string BusyBoxPath = "/bin/busybox";

    public static ImageProcess DefaultProcess { get; } = new()
    {
        Env = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "ACTORD_TEST=yes"],
        Cmd = ["/bin/sh"],
    };

    /// <summary>busybox with its applets as hard links, /etc/passwd and /etc/group (root, alice 1000), /tmp; linux on this processor.</summary>
    /// <param name="layout">Directory to make.</param>
    /// <param name="more">Layers on top of busybox's.</param>
    public static Task<TestImage> BusyBoxAsync(
        string layout, LayerCompression compression = LayerCompression.Gzip, ImageProcess? process = null,
        params TestLayer[] more) =>
        BuildAsync(layout, process ?? DefaultProcess, [new TestLayer(compression, WriteBusyBox), .. more]);

    /// <summary>Any layers, bottom first.</summary>
    public static async Task<TestImage> BuildAsync(string layout, ImageProcess process, params TestLayer[] layers)
    {
        Directory.CreateDirectory(Path.Combine(layout, "blobs", "sha256"));
        var diffIds = ImmutableArray.CreateBuilder<Digest>();
        var descriptors = ImmutableArray.CreateBuilder<Descriptor>();
        foreach (var layer in layers)
        {
            var tar = Tar(layer.Write);
            diffIds.Add(Digest.Of(tar));
            descriptors.Add(await StoreAsync(layout, MediaTypeOf(layer.Compression), Compress(layer.Compression, tar)));
        }
        var config = new ImageConfig
        {
            Created = Time,
            Architecture = Platform.Host.Architecture,
            Os = Platform.Host.Os,
            Variant = Platform.Host.Variant,
            Config = process,
            Rootfs = new ImageRootfs { Type = "layers", DiffIds = diffIds.ToImmutable() },
            History = [.. layers.Select(_ => new HistoryEntry { Created = Time, CreatedBy = "test" })],
        };
        var manifest = new ImageManifest
        {
            MediaType = MediaTypes.OciManifest,
            Config = await StoreAsync(layout, MediaTypes.OciConfig, config.ToBytes()),
            Layers = descriptors.ToImmutable(),
        };
        var target = await StoreAsync(layout, MediaTypes.OciManifest, manifest.ToBytes());
        await WriteIndexAsync(layout, target);
        return new TestImage(layout, target, manifest, config);
    }

    /// <summary>A layer of text files, path to content.</summary>
    public static TestLayer Files(LayerCompression compression, params (string Path, string Content)[] files) =>
        new(compression, tar =>
        {
            foreach (var (path, content) in files) WriteFile(tar, path, Encoding.UTF8.GetBytes(content), "rw-r--r--");
        });

    public static void WriteBusyBox(TarWriter tar)
    {
        foreach (var directory in (string[])["bin", "dev", "etc", "home", "proc", "root", "run", "sys", "usr", "var"])
            WriteDirectory(tar, directory);
        WriteDirectory(tar, "tmp", "rwxrwxrwt");
        WriteFile(tar, "bin/busybox", File.ReadAllBytes(BusyBoxPath), "rwxr-xr-x");
        foreach (var applet in Applets.Value.Where(applet => applet != "busybox"))
        {
            tar.WriteEntry(new PaxTarEntry(TarEntryType.HardLink, $"bin/{applet}")
            {
                LinkName = "bin/busybox",
                Mode = Mode("rwxr-xr-x"),
                ModificationTime = Time,
            });
        }
        WriteFile(
            tar, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000:Alice:/home/alice:/bin/sh\n"u8.ToArray(), "rw-r--r--");
        WriteFile(tar, "etc/group", "root:x:0:\nalice:x:1000:\nshared:x:50000:alice\n"u8.ToArray(), "rw-r--r--");
    }

    public static void WriteDirectory(TarWriter tar, string path, string mode = "rwxr-xr-x") =>
        tar.WriteEntry(new PaxTarEntry(TarEntryType.Directory, path + "/") { Mode = Mode(mode), ModificationTime = Time });

    /// <param name="mode">As ls shows it, nine letters; a last <c>t</c> is the sticky bit.</param>
    public static void WriteFile(TarWriter tar, string path, byte[] content, string mode = "rw-r--r--") =>
        tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, path)
        {
            Mode = Mode(mode),
            ModificationTime = Time,
            DataStream = new MemoryStream(content),
        });

    public static byte[] Compress(LayerCompression compression, byte[] bytes)
    {
        using var into = new MemoryStream();
        using (Stream packer = compression switch
        {
            LayerCompression.Gzip => new GZipStream(into, CompressionLevel.Fastest, leaveOpen: true),
            LayerCompression.Zstd => new CompressionStream(into, level: 1, leaveOpen: true),
            _ => new BufferedStream(into),
        })
        {
            packer.Write(bytes);
            packer.Flush();
            if (compression is LayerCompression.None) return into.ToArray();
        }
        return into.ToArray();
    }

    public static byte[] Tar(Action<TarWriter> write)
    {
        using var bytes = new MemoryStream();
        using (var tar = new TarWriter(bytes, TarEntryFormat.Pax, leaveOpen: true)) write(tar);
        return bytes.ToArray();
    }

    private static readonly Lazy<string[]> Applets = new(() =>
        Tool.RunAsync(BusyBoxPath, "--list").GetAwaiter().GetResult().Split('\n', StringSplitOptions.RemoveEmptyEntries));

    private static string MediaTypeOf(LayerCompression compression) => compression switch
    {
        LayerCompression.Gzip => MediaTypes.OciLayerGzip,
        LayerCompression.Zstd => MediaTypes.OciLayerZstd,
        _ => MediaTypes.OciLayer,
    };

    private static async Task<Descriptor> StoreAsync(string layout, string mediaType, byte[] bytes)
    {
        var descriptor = Descriptor.Of(mediaType, bytes);
        await File.WriteAllBytesAsync(Path.Combine(layout, "blobs", "sha256", descriptor.Digest.Hex), bytes);
        return descriptor;
    }

    private static async Task WriteIndexAsync(string layout, Descriptor target)
    {
        var index = new ImageIndex
        {
            MediaType = MediaTypes.OciIndex,
            Manifests =
            [
                target with
                {
                    Platform = Platform.Host,
                    Annotations = ImmutableSortedDictionary<string, string>.Empty
                        .Add("org.opencontainers.image.ref.name", TestImage.Tag),
                },
            ],
        };
        await File.WriteAllBytesAsync(Path.Combine(layout, "index.json"), index.ToBytes());
        await File.WriteAllTextAsync(Path.Combine(layout, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");
    }

    private static UnixFileMode Mode(string letters)
    {
        var bits = 0;
        foreach (var letter in letters) bits = (bits << 1) | (letter == '-' ? 0 : 1);
        return (UnixFileMode)bits | (letters[^1] == 't' ? UnixFileMode.StickyBit : 0);
    }
}
