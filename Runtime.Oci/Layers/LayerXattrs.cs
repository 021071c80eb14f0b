using Microsoft.Win32.SafeHandles;
using Runtime.Linux.Files;

namespace Runtime.Oci.Layers;

/// <summary>
/// Which extended attributes belong to an image: file capabilities, and what programs keep (<c>user.*</c>). Not labels of this host's
/// security modules, and not overlayfs' own.
/// </summary>
internal static class LayerXattrs
{
    /// <summary>Sorted. Of files and directories: nothing else can have them.</summary>
    public static List<string> NamesOf(SafeFileHandle file) =>
        [.. Xattrs.List(file).Where(BelongsToImage).Order(StringComparer.Ordinal)];

    private static bool BelongsToImage(string name) =>
        name == "security.capability"
        || name.StartsWith("user.", StringComparison.Ordinal) && !name.StartsWith("user.overlay.", StringComparison.Ordinal);
}
