using System.Collections.Immutable;

namespace Runtime.Oci.Layers;

/// <summary>What an OCI whiteout becomes.</summary>
public enum WhiteoutMode
{
    /// <summary>The directory shows the parent layers: what a whiteout names is deleted.</summary>
    Delete,

    /// <summary>The directory is an overlayfs upper (or later lower) directory of this layer alone: a character device 0/0, and
    /// <c>trusted.overlay.opaque=y</c> on an opaque directory.</summary>
    Overlay,
}

/// <summary>How a layer is applied. The limits are sized for the biggest real layers; beyond them, the layer is refused.</summary>
public sealed record LayerOptions
{
    public WhiteoutMode Whiteouts { get; init; } = WhiteoutMode.Delete;

    /// <summary>The overlay is mounted with <c>userxattr</c>: <c>user.overlay.opaque</c> instead.</summary>
    public bool UserXattr { get; init; }

    /// <summary>
    /// For <see cref="WhiteoutMode.Overlay"/>: directories of the parent layers, topmost first, as in <c>lowerdir</c>. A parent
    /// directory that the layer leaves out is made with the owner, mode and attributes that it has there; without them, 0755 of root.
    /// </summary>
    public ImmutableArray<string> Lowers { get; init; } = [];

    /// <summary>Bytes of all extended headers of one entry.</summary>
    public int MaxHeaderBytes { get; init; } = 1024 * 1024;

    public long MaxEntries { get; init; } = 10_000_000;

    /// <summary>Of the uncompressed stream: a small blob can be a decompression bomb.</summary>
    public long MaxBytes { get; init; } = 1L << 40;
}
