using Runtime.Faults;
using Runtime.Linux.Files;

namespace Runtime.Oci.Layers;

/// <summary>
/// What a container has changed, as a layer: the upper directory of its overlay, with overlayfs' marks turned into those of
/// image layers (OCI image spec 1.1, layer.md).
/// </summary>
public sealed class OverlayDiff
{
    private const string OpaqueMarker = ".wh..wh..opq";
    private const string WhiteoutPrefix = ".wh.";

    private static readonly string[] OpaqueMarks = ["trusted.overlay.opaque", "user.overlay.opaque"];

    private readonly string _upper;
    private readonly LayerWriter _layer;
    private readonly Dictionary<(ulong Device, ulong Inode), string> _linked = [];

    private OverlayDiff(string upper, Stream layer) => (_upper, _layer) = (upper, new LayerWriter(layer));

    /// <param name="upper">Nobody may change it meanwhile.</param>
    /// <param name="layer">Gets the tar, uncompressed.</param>
    /// <exception cref="FaultException">FailedPrecondition (<c>layer.unreadable-name</c>): a name that is no UTF-8.</exception>
    public static async Task WriteAsync(string upper, Stream layer, CancellationToken cancellation)
    {
        var diff = new OverlayDiff(upper, layer);
        await diff.DirectoryAsync("", cancellation);
        await diff._layer.EndAsync(cancellation);
    }

    private async Task DirectoryAsync(string place, CancellationToken cancellation)
    {
        var directory = Path.Combine(_upper, place);
        if (place.Length > 0 && IsOpaque(directory)) await MarkAsync(Path.Combine(place, OpaqueMarker), cancellation);
        foreach (var path in Directory.EnumerateFileSystemEntries(directory).Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileName(path);
            var status = FileStatus.TryOf(path) ?? throw new FaultException(FaultKind.FailedPrecondition, "layer.unreadable-name",
                $"A name in \"/{place}\" is not UTF-8, or has vanished while it was read.");
            if (status.IsWhiteout) await MarkAsync(Path.Combine(place, WhiteoutPrefix + name), cancellation);
            else await EntryAsync(path, Path.Combine(place, name), status, cancellation);
        }
    }

    private Task MarkAsync(string inside, CancellationToken cancellation) =>
        _layer.WriteAsync(inside, '0', "", default, [], null, cancellation);

    private async Task EntryAsync(string path, string inside, FileStatus status, CancellationToken cancellation)
    {
        if (TypeOf(status) is not { } type) return; // a socket: nobody listens on a copy
        if (type != '5' && status.Links > 1 && !_linked.TryAdd((status.Device, status.Inode), inside))
        {
            await _layer.WriteAsync(inside, '1', _linked[(status.Device, status.Inode)], status, [], null, cancellation);
            return;
        }
        var link = type == '2' ? new FileInfo(path).LinkTarget! : "";
        await using var content = type == '0' ? File.OpenRead(path) : null;
        await _layer.WriteAsync(type == '5' ? inside + '/' : inside, type, link, status, XattrsOf(path), content, cancellation);
        if (type == '5') await DirectoryAsync(inside, cancellation);
    }

    private static bool IsOpaque(string directory) => OpaqueMarks
        .Any(name => Xattrs.Get(directory, name) is [(byte)'y', ..]);

    private static char? TypeOf(FileStatus status) => (status.Mode & FileConstants.S_IFMT) switch
    {
        FileConstants.S_IFREG => '0',
        FileConstants.S_IFLNK => '2',
        FileConstants.S_IFCHR => '3',
        FileConstants.S_IFBLK => '4',
        FileConstants.S_IFDIR => '5',
        FileConstants.S_IFIFO => '6',
        _ => null,
    };

    private static List<(string Name, byte[] Value)> XattrsOf(string path)
    {
        var found = new List<(string Name, byte[] Value)>();
        foreach (var name in Xattrs.List(path))
        {
            var isOverlays = name.StartsWith("trusted.overlay.", StringComparison.Ordinal) || name.StartsWith("user.overlay.", StringComparison.Ordinal);
            if (!isOverlays && Xattrs.Get(path, name) is { } value) found.Add((name, value));
        }
        return found;
    }
}
